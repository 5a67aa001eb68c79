import { execFile, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/folder.js'
import { until } from '../helpers/until.js'

const ROOT = join(import.meta.dirname, '../..')
const exec = promisify(execFile)

/** The packed package in a folder of a user who never sees this repository. Its dependencies are those of the repository. */
describe('the packed package', () => {
  let app: string
  let files: string[]
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const hysas = (...args: string[]) =>
    exec(process.execPath, [join(app, 'node_modules/hysas', manifest.bin.hysas), ...args], { cwd: app })

  beforeAll(async () => {
    const folder = temporaryFolder('hysas-package')
    // Without its script: that would clean up what other tests run from.
    const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
    const [packed] = JSON.parse((await exec('npm', args, { cwd: ROOT })).stdout)
    files = packed.files.map(({ path }: { path: string }) => path)
    app = join(folder, 'app')
    const modules = join(app, 'node_modules')
    mkdirSync(join(modules, 'hysas'), { recursive: true })
    await exec('tar', ['xzf', join(folder, packed.filename), '-C', join(modules, 'hysas'), '--strip-components=1'])
    for (const name of [...Object.keys(manifest.dependencies), '@types/node', 'undici-types']) {
      mkdirSync(dirname(join(modules, name)), { recursive: true })
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
    }
    await hysas('init')
  })

  afterAll(async () => {
    await hysas('shutdown').catch(() => {})
  })

  it('holds what is run and read, and nothing else', () => {
    for (const path of ['dist/cli/main.js', 'dist/sandbox/main.cjs', 'dist/page/index.html', 'dist/types/index.d.ts']) {
      expect(files).toContain(path)
    }
    expect(files.filter((path) => /^(src|test|scripts|bench|node_modules)\/|\/\.|^dist\/\./.test(path))).toEqual([])
    expect(readdirSync(join(app, 'node_modules/hysas')).sort()).toContain('processors')
  })

  it('gives the user types of his parameters, messages and operations', { timeout: 60_000 }, async () => {
    await hysas('new', 'MyType')
    const tsc = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', app]
    await exec(process.execPath, tsc, { cwd: app })
    writeFileSync(
      join(app, 'processors/Wrong.ts'),
      `import { defineProcessor } from 'hysas'
import { z } from 'zod'
export default defineProcessor({
  params: z.object({ every: z.number() }),
  async start(ctx) {
    const text: string = ctx.params.every
    await ctx.publish(text)
  },
})
`,
    )
    await expect(exec(process.execPath, tsc, { cwd: app })).rejects.toMatchObject({
      stdout: expect.stringMatching(/Wrong\.ts.*'number' is not assignable to type 'string'/),
    })
    writeFileSync(join(app, 'processors/Wrong.ts'), 'export default 1\n')
  })

  it('runs processors of his own: up, start, list, logs, stop', { timeout: 120_000 }, async () => {
    const main = join(app, 'node_modules/hysas', manifest.bin.hysas)
    const node = spawn(process.execPath, [main, 'up', '--port', '0', '--json'], { cwd: app, stdio: 'ignore' })
    const ended = new Promise((resolve) => node.once('exit', resolve))
    try {
      writeFileSync(
        join(app, 'processors/Ticker.ts'),
        `import { defineProcessor } from 'hysas'
import { z } from 'zod'
export default defineProcessor({
  params: z.object({ text: z.string() }),
  async produce(ctx) {
    ctx.log.info('began')
    while (!ctx.signal.aborted) {
      await ctx.publish(ctx.params.text)
      await ctx.sleep(100)
    }
  },
})
`,
      )
      const known = async () => (await hysas('types', '--json')).stdout.includes('"Ticker"')
      await until(known, { timeoutMs: 60_000, what: 'the node is up and knows the type' })
      const started = await hysas('start', 'Ticker', 'one', '--set', 'text=hello', '--timeout', '60')
      expect(started.stdout).toMatch(/one/)
      const [worker] = JSON.parse((await hysas('list', '--json')).stdout).filter(
        ({ nickname }: { nickname: string }) => nickname === 'one',
      )
      expect(worker).toMatchObject({ type: 'Ticker', status: 'started', params: { text: 'hello' } })
      await until(async () => (await hysas('logs', 'one')).stdout.includes('began'), { what: 'the log shows its line' })
      expect((await hysas('stop', 'one')).stdout).toMatch(/one/)
      await hysas('shutdown')
      expect(await ended).toBe(0)
    } finally {
      node.kill('SIGKILL')
    }
  })
})
