import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { countAlert } from '../../processors/lib/alert-counters.js'
import { run } from '../../src/cli/program.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis, redisUrl } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { fakeCli, hysas } from './fake-cli.js'

const ROOT = join(import.meta.dirname, '../..')
const SSHD_LOG = join(ROOT, 'test/processors/fixtures/sshd.log')
const FILES = ['package.json', 'tsconfig.json', '.gitignore', 'README.md', 'config/finder.json']

async function project(): Promise<string> {
  const cwd = temporaryFolder()
  expect(await hysas(['init'], { cwd })).toMatchObject({ code: 0 })
  return cwd
}

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

describe('hysas init', () => {
  it('makes a project of its own in an empty folder', async () => {
    const cwd = await project()
    for (const file of [...FILES, 'processors/Finder.ts', 'processors/Finder.test.ts'])
      expect(existsSync(join(cwd, file)), file).toBe(true)
    expect(json(join(cwd, 'package.json'))).toMatchObject({ private: true, scripts: { test: 'hysas test' } })
    expect(json(join(cwd, 'package.json')).dependencies.hysas).toBeTruthy()
  })

  it('completes the package.json that npm install has made, and changes nothing in it', async () => {
    const cwd = temporaryFolder()
    const made = {
      name: 'theirs',
      type: 'commonjs',
      scripts: { test: 'echo "Error: no test specified" && exit 1', mine: 'true' },
      dependencies: { hysas: 'file:../hysas-0.1.0.tgz' },
    }
    writeFileSync(join(cwd, 'package.json'), JSON.stringify(made))
    const { code, stdout } = await hysas(['init', '--json'], { cwd })
    expect(code).toBe(0)
    expect(JSON.parse(stdout).completed).toEqual(['package.json'])
    expect(json(join(cwd, 'package.json'))).toMatchObject({
      name: 'theirs',
      type: 'commonjs',
      scripts: { test: 'hysas test', mine: 'true' },
      dependencies: { hysas: 'file:../hysas-0.1.0.tgz', zod: expect.any(String) },
    })
  })

  it('tells to install packages until all that it wants are there', async () => {
    const next = async (...installed: string[]) => {
      const cwd = temporaryFolder()
      for (const name of installed) mkdirSync(join(cwd, 'node_modules', name), { recursive: true })
      return (await hysas(['init'], { cwd })).stderr
    }
    expect(await next()).toContain('npm install')
    expect(await next('hysas')).toContain('npm install')
    expect(await next('hysas', 'typescript', '@types/node')).not.toContain('npm install')
  })

  it('reads a package.json that begins with a byte order mark, and refuses one that is no object', async () => {
    const cwd = temporaryFolder()
    const file = join(cwd, 'package.json')
    for (const bad of ['[]', 'null', '"x"', '{']) {
      writeFileSync(file, bad)
      const { code, stderr } = await hysas(['init'], { cwd })
      expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('BAD_PACKAGE_FILE') })
      expect(existsSync(join(cwd, 'processors'))).toBe(false)
    }
    writeFileSync(file, '\uFEFF{"name": "theirs"}')
    expect(await hysas(['init'], { cwd })).toMatchObject({ code: 0 })
    expect(json(file)).toMatchObject({ name: 'theirs', scripts: { test: 'hysas test' } })
  })

  it('overwrites nothing, and writes nothing where it would have to', async () => {
    const cwd = temporaryFolder()
    writeFileSync(join(cwd, 'README.md'), 'mine')
    expect(await hysas(['init'], { cwd })).toMatchObject({ code: 1, stderr: expect.stringContaining('EXISTS') })
    expect(readFileSync(join(cwd, 'README.md'), 'utf8')).toBe('mine')
    expect(existsSync(join(cwd, 'processors'))).toBe(false)
    expect(existsSync(join(cwd, 'package.json'))).toBe(false)
  })

  it('gives processors whose types check', async () => {
    const cwd = await project()
    await hysas(['new', 'Timer', '--repeatable'], { cwd })
    mkdirSync(join(cwd, 'node_modules'))
    for (const name of ['zod', '@types', 'ioredis', '@standard-schema'])
      symlinkSync(join(ROOT, 'node_modules', name), join(cwd, 'node_modules', name))
    symlinkSync(ROOT, join(cwd, 'node_modules/hysas'))
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', cwd], { encoding: 'utf8', cwd })
    expect(stdout).toBe('')
    expect(status).toBe(0)
  })
})

describe('hysas new', () => {
  it('writes a processor with its test, and never over another', async () => {
    const cwd = temporaryFolder()
    expect(await hysas(['new', 'MyType'], { cwd })).toMatchObject({ code: 0 })
    const file = join(cwd, 'processors/MyType.ts')
    writeFileSync(file, 'changed')
    expect(await hysas(['new', 'MyType'], { cwd })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('EXISTS'),
    })
    expect(readFileSync(file, 'utf8')).toBe('changed')
  })

  it('its processors pass doctor, and a broken one is named', async () => {
    const cwd = await project()
    const text = async () => (await hysas(['doctor'], { cwd })).stdout
    expect(await text()).toMatch(/ok +processors +1 processor in/)
    writeFileSync(join(cwd, 'processors/Broken.ts'), 'export default 7')
    expect(await text()).toMatch(/problem +processor +.*Broken\.ts/)
  })
})

describe('hysas test', () => {
  it('runs the tests of a new project with nothing installed', async () => {
    const cwd = await project()
    await hysas(['new', 'Timer', '--repeatable'], { cwd })
    expect(await hysas(['test'], { cwd, env: process.env })).toMatchObject({ code: 0 })
  })

  it('fails when a test fails', async () => {
    const cwd = await project()
    const file = join(cwd, 'processors/Finder.ts')
    writeFileSync(file, readFileSync(file, 'utf8').replace('if (!text', 'if (text'))
    expect(await hysas(['test'], { cwd, env: process.env })).toMatchObject({ code: 1 })
  })
})

describe('hysas run', () => {
  it('feeds the lines of a file and prints what is published', async () => {
    const cwd = await project()
    writeFileSync(join(cwd, 'lines.txt'), 'fine\nan error here\nfine again\n')
    const { code, stdout, stderr } = await hysas(['run', 'Finder', '--input', 'lines.txt'], { cwd })
    expect(stderr).toContain('3 lines fed, 0 failed, 1 message published')
    expect(JSON.parse(stdout)).toEqual({ text: 'an error here', from: 'lines' })
    expect(code).toBe(0)
  })

  it('takes parameters as start does, and refuses what does not fit', async () => {
    const cwd = await project()
    writeFileSync(join(cwd, 'lines.txt'), 'fine\nan error\n')
    const fed = ['run', 'Finder', '--input', 'lines.txt', '--json']
    const { stdout } = await hysas([...fed, '--set', 'word=fine'], { cwd })
    expect(JSON.parse(stdout)).toMatchObject({ channel: 'HySAS.Worker.Finder.finder.Pub', data: { text: 'fine' } })
    expect(await hysas([...fed, '--set', 'word=7'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('BAD_PARAMS'),
    })
  })

  it('ticks a repeatable processor until it is interrupted', async () => {
    const cwd = await project()
    await hysas(['new', 'Timer', '--repeatable'], { cwd })
    const controller = new AbortController()
    const argv = ['run', 'Timer']
    const { cli, stdout } = fakeCli(argv, { cwd, signal: controller.signal })
    const running = run(argv, cli)
    await until(() => /^It is \d{4}-/.test(stdout()))
    controller.abort()
    expect(await running).toBe(0)
  })

  it('tells what the processor threw as its own error, once, with the stack', async () => {
    const cwd = await project()
    const write = (hooks: string) =>
      writeFileSync(
        join(cwd, 'processors/Bad.ts'),
        `import { defineProcessor } from 'hysas'\nexport default defineProcessor({ ${hooks} })\n`,
      )
    writeFileSync(join(cwd, 'lines.txt'), 'one\ntwo\n')
    const fail = async (hooks: string, ...args: string[]) => {
      write(hooks)
      const { code, stderr } = await hysas(['run', 'Bad', ...args], { cwd })
      expect(code).toBe(1)
      expect(stderr).toContain('Bad.ts')
      return stderr.match(/^error .*/gm)
    }
    const told = ['error PROCESSOR_FAILED: The processor Bad failed: out of order.']
    const failing = `throw new Error('out of order')`
    expect(await fail(`start() { ${failing} }`)).toEqual(told)
    expect(await fail(`async produce(ctx) { await ctx.sleep(1); ${failing} }`)).toEqual(told)
    expect(await fail(`receive() { ${failing} }`, '--input', 'lines.txt')).toEqual([...told, ...told])
    // ends at once, though the line takes as long as the worker lives
    const waits = `receive: (ctx) => ctx.sleep(1e8), async produce(ctx) { await ctx.sleep(50); ${failing} }`
    expect(await fail(waits, '--input', 'lines.txt')).toEqual(told)
  })

  it('refuses an input that is none, or that nothing hears', async () => {
    const cwd = await project()
    await hysas(['new', 'Timer', '--repeatable'], { cwd })
    const deaf = `import { defineProcessor } from 'hysas'\nexport default defineProcessor({ start() {} })\n`
    writeFileSync(join(cwd, 'processors/Deaf.ts'), deaf)
    writeFileSync(join(cwd, 'lines.txt'), 'one\ntwo\n')
    const refused = async (type: string, input: string) => {
      const { code, stderr } = await hysas(['run', type, '--input', input], { cwd })
      expect(code).toBe(2)
      return stderr.match(/^error .*/gm)?.join()
    }
    expect(await refused('Finder', 'none.txt')).toMatch(/USAGE: .*none\.txt can not be read/)
    expect(await refused('Finder', 'processors')).toMatch(/USAGE: .* is a folder/)
    expect(await refused('Timer', 'lines.txt')).toBe('error USAGE: a repeatable processor hears no input')
    expect(await refused('Deaf', 'lines.txt')).toMatch(/USAGE: nothing in Deaf hears the input/)
  })

  it('runs processors without Redis that only keep something in it, and says so once', async () => {
    const cwd = temporaryFolder()
    const told = 'there is no Redis here: nothing is kept for the next run'
    const guard = await hysas(['run', 'SshGuard', '--input', SSHD_LOG], { cwd })
    expect(guard.code).toBe(0)
    expect(guard.stdout.match(/^{"kind":"alert","rule":"password-guessing"/gm)).toHaveLength(3)
    expect(guard.stderr.split(told)).toHaveLength(2)
    const controller = new AbortController()
    const argv = ['run', 'LogFollower', '--set', `file=${SSHD_LOG}`, '--set', 'from=start', '--set', 'pollMs=10']
    const { cli, stdout, stderr } = fakeCli(argv, { cwd, signal: controller.signal })
    const running = run(argv, cli)
    await until(() => stdout().includes('Failed password'))
    controller.abort()
    expect(await running).toBe(0)
    expect(stderr().split(told)).toHaveLength(2)
  })

  it('gives a processor that needs Redis the one of the fleet where that is asked for', async () => {
    const space = namespace()
    const given = { cwd: temporaryFolder(), env: { HYSAS_REDIS_URL: redisUrl(), HYSAS_NAMESPACE: space } }
    const without = await hysas(['run', 'AlertCount'], given)
    expect(without).toMatchObject({ code: 1, stderr: expect.stringContaining('error NO_REDIS_GIVEN') })
    expect(without.stderr).toContain('hysas run AlertCount --redis')
    await countAlert({ namespace: space, redis: connectRedis() }, '192.0.2.1', Date.now() - 120_000)
    const controller = new AbortController()
    const argv = ['run', 'AlertCount', '--redis']
    const { cli, stdout } = fakeCli(argv, { ...given, signal: controller.signal })
    const running = run(argv, cli)
    await until(() => stdout().includes('192.0.2.1'))
    controller.abort()
    expect(await running).toBe(0)
    const nowhere = await hysas(['run', 'AlertCount', '--redis'], { cwd: given.cwd })
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('error NO_REDIS_KNOWN') })
  })

  it('names the nearest types where there is none of the name', async () => {
    const { code, stderr } = await hysas(['run', 'Demmo'], { cwd: temporaryFolder() })
    expect(code).toBe(1)
    expect(stderr).toContain('NO_PROCESSOR')
    expect(stderr).toContain('"Demo"')
  })
})
