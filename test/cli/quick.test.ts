import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { redisUrl } from '../helpers/redis.js'

const ROOT = join(import.meta.dirname, '../..')

/** The built program far from its packages: what the quick commands need is all in one file. */
function aloneProgram() {
  const folder = temporaryFolder('hysas-quick')
  mkdirSync(join(folder, 'dist'))
  for (const part of ['package.json', 'dist/cli', 'dist/chunks']) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  }
  const run = async (args: readonly string[], env: Record<string, string> = {}) => {
    const command = [join(folder, 'dist/cli/main.js'), ...args]
    const options = { cwd: folder, env: { PATH: process.env.PATH, ...env } }
    const { stdout } = await promisify(execFile)(process.execPath, command, options)
    return stdout
  }
  return { run, cache: join(folder, 'dist/.code-cache') }
}

describe('commands that only ask Redis', () => {
  it('run from one file, without packages, and do what the whole program does', async () => {
    const ns = namespace()
    await startNode({ namespace: ns })
    const { run } = aloneProgram()
    const env = { HYSAS_REDIS_URL: redisUrl(), HYSAS_NAMESPACE: ns }
    const json = async (...args: string[]) => JSON.parse(await run([...args, '--json'], env))
    expect(await json('start', 'Demo', 'quick', '--set', 'everyMs=50')).toMatchObject({ result: 'started' })
    expect((await json('list')).map(({ nickname }: { nickname: string }) => nickname)).toContain('quick')
    expect(await json('ps', '--type', 'Demo')).toHaveLength(1)
    expect(await json('show', 'quick')).toMatchObject({ type: 'Demo', params: { everyMs: 50 } })
    expect(await json('send', 'quick', 'logLevel', '{"level":"debug"}')).toBeDefined()
    expect(await json('restart', 'quick')).toMatchObject([{ result: 'restarted' }])
    expect((await json('types')).map(({ type }: { type: string }) => type)).toContain('Demo')
    expect(await json('nodes')).toHaveLength(1)
    expect(await run(['logs', 'quick', '--json'], env)).toContain('"quick"')
    expect(await json('stop', 'quick')).toMatchObject([{ result: 'stopped' }])
    expect((await (await clientOf(ns)).show('quick')).status).toBe('terminated')
    expect(await run(['tail', '--help'])).toContain('Usage: hysas tail')
    expect(await run(['publish', '--help'])).toContain('Usage: hysas publish')
    expect(await json('shutdown')).toBeDefined()
  })

  it('keep what was compiled of it for the next run, and do without where that can not be used', async () => {
    const { run, cache } = aloneProgram()
    const help = await run(['list', '--help'])
    const [file = ''] = readdirSync(cache)
    const kept = readFileSync(join(cache, file))
    expect(kept.length).toBeGreaterThan(10_000)
    expect(await run(['list', '--help'])).toBe(help)
    expect(readFileSync(join(cache, file)).equals(kept)).toBe(true)
    const broken = [Buffer.alloc(0), Buffer.alloc(kept.length), kept.subarray(0, 5000), Buffer.from('no code\nwhole\n')]
    for (const content of broken) {
      writeFileSync(join(cache, file), content)
      expect(await run(['list', '--help'])).toBe(help)
      expect(readFileSync(join(cache, file)).length).toBeGreaterThan(10_000)
    }
    writeFileSync(join(cache, 'quick-0000000000.cjs-list-v20.0.0-x64'), 'of an older program')
    await run(['types', '--help'])
    expect(readdirSync(cache).sort()).toEqual([file, file.replace('list', 'types')].sort())
  })

  it('the version needs nothing at all', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    for (const flag of ['--version', '-V']) expect(await aloneProgram().run([flag])).toBe(`${version}\n`)
  })
})
