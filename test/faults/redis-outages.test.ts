import { beforeAll, describe, expect, it } from 'vitest'
import type { Client } from '../../src/client.js'
import { type Names, namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode, type TestNode } from '../helpers/node.js'
import { connectRedis, startRedis } from '../helpers/redis.js'
import type { RedisServer } from '../helpers/redis-server.js'
import { until } from '../helpers/until.js'
import { processors } from './fixture.js'
import { changedRuns, hearSaid, listener, pause, runsOf, startSaying } from './redis-fixture.js'
import { FULL, measured, measuredMs } from './table.js'

const ns = namespace()
const names: Names = namesOf(ns)
const said = ['w0', 'w1', 'w2', 'w3']
let server: RedisServer
let nodes: TestNode[]
let client: Client
let heard: Awaited<ReturnType<typeof hearSaid>>
let events: { kind: string; message: string }[]

/**
 * Two nodes with four workers, on a Redis with an append-only file: each fault finds them well, and leaves them so. By
 * `everysec` Redis acknowledges what it has not written yet, where the disk is slow, and loses it when it is killed.
 */
beforeAll(async () => {
  server = await startRedis({ appendonly: true, args: ['--appendfsync', 'always'] })
  const folder = processors('Says')
  nodes = await Promise.all(
    ['a', 'b'].map((name) => startNode({ namespace: ns, name, url: server.url, processors: [folder] })),
  )
  client = await clientOf(ns, server.url)
  heard = await hearSaid(ns, server.url)
  events = []
  const subscriber = listener(server.url)
  subscriber.on('message', (_channel: string, raw: string) => events.push(JSON.parse(raw)))
  await subscriber.subscribe(names.eventsChannel)
  await startSaying(client, said)
})

describe('row 12: Redis is killed and comes back after a second', () => {
  it('costs no run and no acknowledged command', async () => {
    for (let round = 0; round < (FULL ? 20 : 1); round++) await killed(round)
  }, 400_000)

  async function killed(round: number): Promise<void> {
    const before = await runsOf(client, 4)
    const queued = ['q0', 'q1', 'q2', 'q3'].map((one) => `${one}-${round}`)
    for (const nickname of queued) await client.start('Says', nickname, {}, { noWait: true })
    await server.kill()
    await pause(1000)
    await server.restart()
    const at = performance.now()
    const ms = await heard.backAfter(at, said)
    const after = await runsOf(client, 8)
    const restarts = changedRuns(before, after)
    const lost = queued.filter((nickname) => !after.has(nickname)).length
    measured(12, 'kill -9 redis-server, back after 1 s', '0 restarts', restarts, restarts === 0)
    measured(12, 'kill -9 redis-server, back after 1 s', '0 acknowledged commands lost', lost, lost === 0)
    measured(12, 'kill -9 redis-server, back after 1 s', 'all resume', `${Math.round(ms)} ms`, true)
    expect(restarts).toBe(0)
    expect(lost).toBe(0)
    expect(heard.stale()).toEqual([])
    expect(heard.doubled(at)).toEqual([])
    for (const nickname of queued) await client.stop(nickname)
  }
})

describe('rows 13 and 14: Redis is away, or stands still', () => {
  const pausedMs = FULL ? '5000' : '4000'
  const awayMs = FULL ? 30_000 : 6000
  const faults: [row: number, fault: string, inject: () => Promise<void>][] = [
    [13, `Redis away ${awayMs / 1000} s`, () => away(awayMs)],
    [14, 'DEBUG SLEEP 5', () => stands('DEBUG', 'SLEEP', '5')],
    [14, `CLIENT PAUSE ${pausedMs}`, () => stands('CLIENT', 'PAUSE', pausedMs)],
  ]

  it.each(faults)(
    'row %i: %s restarts each worker at most once, and doubles none',
    async (row, fault, inject) => {
      const before = await runsOf(client, 4)
      const from = performance.now()
      await inject()
      const back = performance.now()
      const ms = await heard.backAfter(back, said)
      await pause(Math.max(0, back + 5000 - performance.now()))
      await pause(FULL ? 5000 : 500)
      const after = await runsOf(client, 4)
      const doubled = heard.doubled(back + 5000).length
      const stale = heard.stale().length
      const restarts = changedRuns(before, after)
      const runs = new Map(
        said.map((one) => [one, new Set(heard.since(from).flatMap((x) => (x.nickname === one ? [x.epoch] : [])))]),
      )
      const most = Math.max(...[...runs.values()].map(({ size }) => size - 1))
      measured(row, fault, '0 duplicates 5 s after', doubled + stale, doubled + stale === 0)
      measured(row, fault, 'at most one restart of each', `${restarts} of 4 workers`, most <= 1)
      measured(row, fault, 'all resume', `${Math.round(ms)} ms`, true)
      expect(heard.stale()).toEqual([])
      expect(heard.doubled(back + 5000)).toEqual([])
      expect(most).toBeLessThanOrEqual(1)
    },
    120_000,
  )

  async function away(ms: number): Promise<void> {
    await server.kill()
    await pause(ms)
    await server.restart()
  }

  /** Resolves when it answers again. */
  async function stands(...command: [string, string, string]): Promise<void> {
    const redis = connectRedis(server.url)
    await redis.call(...command)
    await redis.ping()
    redis.disconnect()
  }
})

describe('row 15: all subscribers are cut off', () => {
  it('they hear again within a second', async () => {
    const redis = connectRedis(server.url)
    const channels = [names.wake, names.command, ...said.map((nickname) => names.workerCommand('Says', nickname))]
    const listeners = async () => String(await redis.pubsub('NUMSUB', ...channels))
    const before = await listeners()
    const at = performance.now()
    expect(await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')).toBeGreaterThan(said.length)
    await until(async () => (await listeners()) === before, { everyMs: 5, what: `listeners as before: ${before}` })
    measuredMs(15, 'CLIENT KILL TYPE pubsub', 1000, performance.now() - at)
    for (const nickname of said) expect(await client.send(nickname, 'pid')).toBeGreaterThan(0)
    await heard.backAfter(performance.now(), said)
  })
})

describe('row 19: Redis becomes a read-only replica', () => {
  it('tells so, and goes on when it is a master again', async () => {
    const before = await runsOf(client, 4)
    const redis = connectRedis(server.url)
    await redis.call('REPLICAOF', '127.0.0.1', '1')
    await pause(FULL ? 20_000 : 4000)
    for (const node of nodes) expect(node.output()).toContain('Redis is a replica of 127.0.0.1:1')
    expect((await client.list()).filter(({ wanted }) => wanted)).toHaveLength(5)
    await expect(client.start('Says', 'late', {}, { noWait: true })).rejects.toMatchObject({ code: 'REDIS_ERROR' })
    await redis.call('REPLICAOF', 'NO', 'ONE')
    const at = performance.now()
    const ms = await heard.backAfter(at, said)
    measuredMs(19, 'Redis a read-only replica, then master again', 3000, ms)
    expect(heard.stale()).toEqual([])
    const restarts = changedRuns(before, await runsOf(client, 4))
    measured(19, 'Redis a read-only replica, then master again', 'errors shown, restarts', restarts, restarts === 0)
    expect(restarts).toBe(0)
    await until(() => events.some(({ kind, message }) => kind === 'problem_over' && /replica/.test(message)))
  }, 60_000)
})

describe('row 21: Redis is full', () => {
  it('tells so, and goes on when there is room; no worker has failed for good', async () => {
    const before = await runsOf(client, 4)
    const redis = connectRedis(server.url)
    const used = Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1])
    await redis.config('SET', 'maxmemory', String(Math.round(used * 1.08)))
    await until(async () =>
      (await client.nodes()).some(({ problems }) => problems.some((one) => /nearly full/.test(one))),
    )
    await redis.config('SET', 'maxmemory', '1')
    process.kill(before.get('w0')?.pid ?? 0, 'SIGKILL')
    await until(() => nodes.every((node) => node.output().includes('Redis is full')), { what: 'the alarm' })
    await pause(FULL ? 20_000 : 3000)
    await redis.config('SET', 'maxmemory', '0')
    const at = performance.now()
    const ms = await heard.backAfter(at, said)
    const after = await runsOf(client, 4)
    const failed = (await client.list()).filter(({ status }) => status === 'failed').length
    measured(21, 'Redis full, noeviction', '0 workers failed for good', failed, failed === 0)
    expect(failed).toBe(0)
    measured(21, 'Redis full, noeviction', 'alarm; all resume', `${Math.round(ms)} ms`, true)
    const others = new Map([...before].filter(([nickname]) => nickname !== 'w0'))
    expect(changedRuns(others, after)).toBe(0)
    expect(heard.stale()).toEqual([])
    await until(() => events.some(({ kind, message }) => kind === 'problem_over' && /full|OOM/.test(message)))
    await until(async () => (await client.nodes()).every(({ problems }) => problems.length === 0))
  }, 60_000)
})
