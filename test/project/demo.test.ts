import { execFile, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/folder.js'
import { alive } from '../helpers/process.js'
import { until } from '../helpers/until.js'

const ROOT = join(import.meta.dirname, '../..')
const running: { kill(): void }[] = []

afterEach(() => {
  for (const one of running.splice(0)) one.kill()
})

/** A clone of this project as it is now, with its packages and what was built. */
function clone(): string {
  const folder = temporaryFolder('hysas-demo')
  const parts = ['src', 'scripts', 'processors', 'dist', 'package.json', 'package-lock.json']
  for (const part of [...parts, 'tsconfig.json', 'tsconfig.build.json']) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

function demo(folder: string, ...args: string[]) {
  const env = { ...process.env, SSH_CONNECTION: '192.0.2.1 50000 192.0.2.2 22' }
  const script = join(folder, 'scripts/demo.mjs')
  const child = spawn(process.execPath, [script, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  running.push({ kill: () => child.kill('SIGKILL') })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  child.stdout.resume()
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  const says = (pattern: RegExp) =>
    until(() => said.match(pattern), { timeoutMs: 90_000, what: `the demo says ${pattern}` })
  return { child, exited, says, said: () => said }
}

async function hysas(folder: string, ...args: string[]) {
  return promisify(execFile)(process.execPath, [join(folder, 'dist/cli/main.js'), ...args], { cwd: folder })
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

describe('the demo', () => {
  it('shows workers and the first alert, takes a second worker, ends at Ctrl-C and goes on at the next run', {
    timeout: 240_000,
  }, async () => {
    const folder = clone()
    const first = demo(folder)
    await first.says(/✓ DemoName .*pid \d+/)
    await first.says(/ssh -L (\d+):localhost:\1 \S+@192\.0\.2\.2/)
    await first.says(/alert .*(198\.51\.100|203\.0\.113)\.\d+/)
    await first.says(/[1-9][\d.]* messages\/s/)

    const page = new URL((await first.says(/The page\s+(\S+)/))[1] ?? '')
    const nodes = JSON.parse((await hysas(folder, 'nodes', '--json')).stdout)
    expect((await hysas(folder, 'start', 'Demo', 'Second')).stdout).toMatch(/Second/)
    const workers = JSON.parse((await hysas(folder, 'list', '--json')).stdout)
    const redisPort = Number((await first.says(/127\.0\.0\.1:(\d+)/))[1])
    expect(workers).toHaveLength(6)

    const refused = demo(folder, '--reset')
    expect(await refused.exited).toBe(1)
    expect(refused.said()).toMatch(/A node is up in this folder/)

    const began = Date.now()
    first.child.kill('SIGINT')
    expect(await first.exited).toBe(0)
    expect(Date.now() - began).toBeLessThan(5000)
    const pids = [...nodes, ...workers].map(({ pid }: { pid: number | null }) => pid ?? 0)
    for (const pid of pids) expect(pid === 0 || !alive(pid)).toBe(true)
    expect(await isOpen(Number(page.port))).toBe(false)
    expect(await isOpen(redisPort)).toBe(false)

    const second = demo(folder)
    await second.says(/✓ DemoName .*goes on where it stopped/)
    await second.says(/6 of 6 workers up/)
    second.child.kill('SIGTERM')
    expect(await second.exited).toBe(0)

    const clean = demo(folder, '--reset')
    expect(await clean.exited).toBe(0)
    expect(existsSync(join(folder, '.hysas'))).toBe(false)
  })

  it('ends in order when it is interrupted while it starts', { timeout: 60_000 }, async () => {
    const folder = clone()
    const { child, exited, says } = demo(folder)
    await says(/Starting a node/)
    child.kill('SIGINT')
    expect(await exited).toBe(0)
    expect(existsSync(join(folder, '.hysas/redis/server.json'))).toBe(false)
  })

  it('is not held up by what a node left behind that ended hard, though its process id is taken again', async () => {
    const folder = clone()
    mkdirSync(join(folder, '.hysas/redis/users'), { recursive: true })
    writeFileSync(join(folder, `.hysas/redis/users/${process.pid}.1`), '1')
    const { exited, said } = demo(folder, '--reset')
    expect(await exited, said()).toBe(0)
    expect(existsSync(join(folder, '.hysas'))).toBe(false)
  })

  it('knows no other words', async () => {
    const { exited, said } = demo(ROOT, '--reste')
    expect(await exited).toBe(2)
    expect(said()).toMatch(/knows no --reste/)
  })
})
