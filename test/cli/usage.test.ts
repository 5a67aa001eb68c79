import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/folder.js'
import { hysas } from './fake-cli.js'

describe('misuse', () => {
  it.each([
    ['an unknown command', ['strat', 'Demo', 'a'], 'start'],
    ['an unknown option', ['list', '--staus', 'started'], '--status'],
    ['a missing argument', ['start', 'Demo'], 'nickname'],
    ['an argument too many', ['types', 'x'], 'argument'],
    ['a bad value of an option', ['start', 'Demo', 'a', '--timeout', 'soon'], 'seconds'],
    ['an unknown status', ['list', '--status', 'fine'], 'started'],
    ['arguments that are no object', ['send', 'a', 'op', '[1]'], 'object'],
    ['restart of nothing', ['restart'], '--type'],
    ['two formats at once', ['events', '--csv', '--json'], '--csv'],
    ['all events and the last of them', ['events', '--all', '--limit', '5'], '--limit'],
    ['events that go on until then', ['events', '-f', '--until', '5m'], '--until'],
    ['an unknown severity', ['events', '--severity', 'warning,bad'], 'critical'],
  ])('%s exits 2 and says what is wrong', async (_, argv, said) => {
    const { code, stdout, stderr } = await hysas(argv, { cwd: temporaryFolder() })
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain('USAGE')
    expect(stderr).toContain(said)
  })

  it('of a nickname or type exits 2 with its own code, without any connection', async () => {
    expect(await hysas(['start', 'Demo', '9lives'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('BAD_NICKNAME'),
    })
    expect(await hysas(['new', 'lower'])).toMatchObject({ code: 2, stderr: expect.stringContaining('BAD_TYPE') })
  })

  it('is one JSON object on standard error with --json', async () => {
    const { code, stderr } = await hysas(['list', '--nonsense', '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(stderr).error).toMatchObject({ code: 'USAGE' })
  })
})

describe('help', () => {
  it('lists every command and exits 0', async () => {
    const { code, stdout, stderr } = await hysas(['--help'])
    expect(code).toBe(0)
    expect(stderr).toBe('')
    const commands =
      'up start stop restart list run publish link show types nodes logs tail send events shutdown init new doctor test'
    for (const command of commands.split(' ')) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'))
  })

  it('is shown, with exit 2, where no command is given', async () => {
    const { code, stdout, stderr } = await hysas([])
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain('Usage: hysas')
  })

  it('every command has --json', async () => {
    const { stdout } = await hysas(['start', '--help'])
    expect(stdout).toContain('--json')
  })
})

it('the version is that of the package', async () => {
  expect((await hysas(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

describe('without a Redis', () => {
  it('a command says where it looked, and what to do', async () => {
    const cwd = temporaryFolder()
    const { code, stderr } = await hysas(['list'], { cwd })
    expect(code).toBe(1)
    expect(stderr).toContain('NO_REDIS_KNOWN')
    expect(stderr).toContain(cwd)
    expect(stderr).toContain('hysas up')
  })

  it('that answers, it names the address without password, and where it was configured', async () => {
    const env = { HYSAS_REDIS_URL: 'redis://me:geheim@127.0.0.1:1' }
    const { code, stderr } = await hysas(['stop', 'a'], { cwd: temporaryFolder(), env })
    expect(code).toBe(1)
    expect(stderr).toMatch(/NO_REDIS: .*127\.0\.0\.1:1.*HYSAS_REDIS_URL/)
    expect(stderr).not.toContain('geheim')
  })
})
