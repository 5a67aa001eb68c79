import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/folder.js'
import { clientOf } from '../helpers/node.js'
import { findProgram, freePort, type Running, run } from '../helpers/process.js'
import { until } from '../helpers/until.js'
import { childrenOf, processesIn, processors } from './fixture.js'
import { atLeisure, FULL, measuredMs, together } from './table.js'

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js')
/** Of the worker that does not want to end, ms. */
const GRACE_MS = 3000
/** Of Monitor, as of all workers that say nothing else, ms. */
const DEFAULT_GRACE_MS = 10_000

interface Launched {
  folder: string
  port: number
  node: Running
}

/** A node with a page and a Redis of its own, as a user starts it, in a terminal or not. */
async function launch({ terminal = false } = {}): Promise<Launched> {
  const folder = temporaryFolder('hysas-ends')
  const port = await freePort()
  const command = [process.execPath, MAIN, 'up', '--port', String(port), '--processors', processors('Lingers')]
  const marks = Object.entries(process.env).filter(([name]) => name === 'PATH' || name.startsWith('HYSAS_TEST_'))
  const options = { cwd: folder, env: { ...Object.fromEntries(marks), HOME: folder, SHELL: '/bin/sh' } }
  const script = terminal ? findProgram('script') : ''
  if (script === undefined) throw new Error('This test needs `script` of util-linux (Debian: bsdutils).')
  const [program = '', ...args] = script ? [script, '-qfec', `exec ${command.join(' ')}`, '/dev/null'] : command
  return { folder, port, node: run(program, args, options) }
}

/** Waits until it is up, and has it host a worker whose end takes long. */
async function withWorker({ node, folder }: Launched): Promise<void> {
  await until(() => node.output().includes('is up.'), { timeoutMs: 60_000, what: `up: ${node.output()}` })
  const client = await clientOf('HySAS', recordOf(folder)?.url)
  await client.start('Lingers', 'lingers', {}, { timeoutMs: 30_000 })
  await client.close()
}

const recordOf = (folder: string) =>
  JSON.parse(readFileSync(join(folder, '.hysas/redis/server.json'), 'utf8')) as { url: string; port: number }

/** What must not be there any more: processes, ports, sockets, locks. */
async function leftovers({ folder, port }: Launched, redisPort: number): Promise<string[]> {
  const left = processesIn(folder).map((pid) => `process ${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8')}`)
  if (await listens(port)) left.push(`port ${port} of the page`)
  if (redisPort && (await listens(redisPort))) left.push(`port ${redisPort} of Redis`)
  for (const name of ['lock', 'server.json', 'redis.sock']) {
    if (existsSync(join(folder, '.hysas/redis', name))) left.push(name)
  }
  const users = join(folder, '.hysas/redis/users')
  if (existsSync(users)) left.push(...readdirSync(users).map((use) => `use ${use}`))
  return left
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  }).then((open) => open as boolean)
}

/** Waits until nothing is left, and measures it. */
async function endsCleanly(
  launched: Launched,
  { fault, graceMs, redisPort = 0 }: { fault: string; graceMs: number; redisPort?: number },
  inject: () => unknown,
): Promise<void> {
  const from = performance.now()
  await inject()
  let left: string[] = []
  const ended = until(
    async () => {
      left = await leftovers(launched, redisPort)
      return left.length === 0
    },
    { timeoutMs: atLeisure(graceMs + 1000), everyMs: 25 },
  )
  await ended.catch(() => {})
  const ms = performance.now() - from
  measuredMs(34, fault, graceMs + 1000, left.length ? Number.POSITIVE_INFINITY : ms)
  expect(left).toEqual([])
}

together('row 34: a node that is ended in a hurry', () => {
  it('leaves nothing behind after a second SIGINT', async () => {
    const launched = await launch()
    await withWorker(launched)
    const { node, folder } = launched
    const fault = `SIGINT twice, grace ${GRACE_MS} ms`
    await endsCleanly(launched, { fault, graceMs: GRACE_MS, redisPort: recordOf(folder).port }, async () => {
      node.child.kill('SIGINT')
      await sleep(700)
      expect(childrenOf(node.pid).length).toBeGreaterThan(0) // it waits for its worker
      expect(existsSync(join(folder, 'bye'))).toBe(true)
      node.child.kill('SIGINT')
    })
    expect((await node.exited).signal).toBe('SIGINT')
  }, 90_000)

  it('leaves nothing behind when its terminal is closed', async () => {
    const launched = await launch({ terminal: true })
    await withWorker(launched)
    const { node, folder } = launched
    const fault = `terminal closed, grace ${GRACE_MS} ms`
    await endsCleanly(launched, { fault, graceMs: GRACE_MS, redisPort: recordOf(folder).port }, () =>
      node.child.kill('SIGKILL'),
    )
    expect(existsSync(join(folder, 'bye'))).toBe(true)
  }, 90_000)

  it('leaves nothing behind when it is ended while it starts', async () => {
    for (const afterMs of FULL ? [20, 100, 200, 400, 600, 800, 1000, 1300, 1600, 2000, 3000] : [150, 500, 1200]) {
      const launched = await launch()
      await sleep(afterMs)
      const fault = `SIGTERM ${afterMs} ms after its start`
      await endsCleanly(launched, { fault, graceMs: DEFAULT_GRACE_MS }, () => launched.node.child.kill('SIGTERM'))
      const { code, signal } = await launched.node.exited
      expect(signal ?? code).toSatisfy((end: unknown) => end === 0 || end === 1 || end === 'SIGTERM')
    }
  }, 120_000)
})
