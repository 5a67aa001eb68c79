import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Client } from '../../src/client.js'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode, type TestNode } from '../helpers/node.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { againAfter, hearEpochs, lives, processors, shown, tell } from './fixture.js'
import { atLeisure, FULL, measured, measuredMs } from './table.js'

const ns = namespace()
const names = namesOf(ns)
const redis = connectRedis()
let client: Client
let node: TestNode
let heard: Awaited<ReturnType<typeof hearEpochs>>

beforeAll(async () => {
  node = await startNode({ namespace: ns, processors: [processors('Shared')] })
  client = await clientOf(ns)
  heard = await hearEpochs(ns)
})

/** Starts a worker, and waits until it has said something. */
async function speaking(nickname: string, params: object = {}): Promise<{ pid: number; epoch: number }> {
  const { pid, epoch } = await client.start('Shared', nickname, params as Record<string, unknown>, {
    timeoutMs: 30_000,
  })
  await until(() => heard.epochOf(nickname) === epoch)
  return { pid: pid as number, epoch: epoch as number }
}

/** How long it takes from a fault until each of the workers speaks under its next epoch. */
async function outages(nicknames: string[], inject: () => unknown): Promise<number[]> {
  const before = nicknames.map((nickname) => heard.epochOf(nickname))
  const from = performance.now()
  await inject()
  const all = await Promise.all(nicknames.map((nickname, i) => heard.later(nickname, before[i] as number)))
  return all.map(({ at }) => at - from)
}

const errorOf = (nickname: string) => redis.hget(names.worker(nickname), 'last_error')
const command = (nickname: string, operation: string) => tell(ns, 'Shared', nickname, operation)

/** Four that share a process. */
const crowd = ['c1', 'c2', 'c3', 'c4']

beforeEach(async () => {
  const wanted = (await client.list()).filter((worker) => worker.type === 'Shared' && worker.wanted)
  await Promise.all(wanted.map(({ nickname }) => client.stop(nickname, { timeoutMs: 30_000 })))
})

async function gather(): Promise<number> {
  const pids = await Promise.all(crowd.map(async (nickname) => (await speaking(nickname)).pid))
  expect(new Set(pids).size).toBe(1)
  return pids[0] as number
}

async function unharmed(nicknames: readonly string[], before: Map<string, number>): Promise<string[]> {
  const views = await client.list()
  return nicknames.filter((nickname) => {
    const view = views.find((one) => one.nickname === nickname)
    return heard.epochOf(nickname) !== before.get(nickname) || view?.restarts !== 0 || view.errors !== 0
  })
}

const epochs = () => new Map(crowd.map((nickname) => [nickname, heard.epochOf(nickname)]))

describe('row 1: a common child that is killed', () => {
  it('has all its workers again, one after another, each counted and told why', async () => {
    const pid = await gather()
    const times = await outages(crowd, () => process.kill(pid, 'SIGKILL'))
    measuredMs(1, 'kill -9 of a common child', 1000, Math.max(...times))
    expect(Math.max(...times)).toBeLessThan(atLeisure(1000))
    for (const nickname of crowd) {
      const view = await shown(client, nickname, againAfter(null))
      expect(view.restarts).toBe(1)
      expect(view.isolation).toBe('shared')
      expect(await errorOf(nickname)).toContain(`its process (${pid}), which it shared, was ended by SIGKILL`)
    }
    expect(heard.stale).toEqual([])
  })
})

it('row 4: workers of a common child that stood still are what they were when it goes on, each with all that it says', async () => {
  const pid = await gather()
  const before = epochs()
  process.kill(pid, 'SIGSTOP')
  await until(
    async () => (await client.list()).filter(({ status }) => status === 'disappeared').length === crowd.length,
  )
  process.kill(pid, 'SIGCONT')
  for (const nickname of crowd) await shown(client, nickname, (view) => view.status === 'started')
  for (const nickname of crowd) {
    const info = await redis.hgetall(names.info('Shared', nickname))
    expect(info).toMatchObject({ status: 'started', error_msg: '', stop_info: '' })
  }
  expect(epochs()).toEqual(before)
})

describe('row 5: an endless loop in one of a common child', () => {
  it('ends the process; the culprit is named with its stack and has a process of its own from then on', async () => {
    const pid = await gather()
    const times = await outages(crowd, () => command('c2', 'loop'))
    measuredMs(5, 'endless loop in a shared worker', 10_000, Math.max(...times))
    expect(Math.max(...times)).toBeLessThan(atLeisure(10_000))
    expect(lives(pid)).toBe(false)
    const guilty = await shown(client, 'c2', againAfter(null))
    expect(guilty.isolation).toBe('process')
    expect(await errorOf('c2')).toMatch(/event loop was blocked[\s\S]*this worker's code[\s\S]*busy.*Shared\.ts:\d+/)
    for (const nickname of ['c1', 'c3', 'c4']) {
      const view = await shown(client, nickname, againAfter(null))
      expect(view).toMatchObject({ isolation: 'shared', restarts: 1 })
      expect(view.pid).not.toBe(guilty.pid)
      expect(await errorOf(nickname)).toMatch(/event loop was blocked.* by c2/)
    }
    await client.restart('c2')
    expect((await shown(client, 'c2', againAfter(guilty.epoch))).isolation).toBe('process')
    await client.stop('c2')
    await client.start('Shared', 'c2')
    expect((await shown(client, 'c2', againAfter(null))).isolation).toBe('shared')
  })

  it('that only keeps its neighbours waiting is named, and has a process of its own at its next start', async () => {
    await gather()
    const events: { kind?: string; nickname?: string; severity?: string }[] = []
    const subscriber = connectRedis()
    subscriber.on('message', (_channel: string, raw: string) => events.push(JSON.parse(raw)))
    await subscriber.subscribe(names.eventsChannel)
    await command('c3', 'starve')
    const event = await until(() => events.find(({ kind }) => kind === 'starves'), {
      timeoutMs: 60_000,
      what: 'the starver is named',
    })
    subscriber.disconnect()
    expect(event).toMatchObject({ nickname: 'c3', severity: 'warning' })
    expect(node.output()).toContain('c3 keeps its neighbours waiting')
    const before = await client.show('c3')
    expect(before.isolation).toBe('shared')
    await client.restart('c3')
    expect((await shown(client, 'c3', againAfter(before.epoch))).isolation).toBe('process')
  }, 90_000)
})

describe('rows 7 and 8: errors that nobody caught, and process.exit', () => {
  it('fail only the worker whose code it was', async () => {
    const pid = await gather()
    const innocents = ['c1', 'c3', 'c4']
    const before = epochs()
    const rounds = FULL ? 100 : 9
    const faults = [
      ['throwLater', /nobody caught this[\s\S]*Shared\.ts:\d+/],
      ['rejectLater', /nobody awaited this[\s\S]*Shared\.ts:\d+/],
      ['exit', /exit code 0/],
    ] as const
    for (let round = 0; round < rounds; round++) {
      const [operation, words] = faults[round % 3] as (typeof faults)[number]
      await outages(['c2'], () => command('c2', operation))
      expect(await errorOf('c2')).toMatch(words)
      expect(await shown(client, 'c2', againAfter(null))).toMatchObject({ restarts: round + 1, pid })
    }
    const harmed = await unharmed(innocents, before)
    measured(
      7,
      `uncaught errors in a shared worker, ${rounds} times`,
      '0 innocent workers fail',
      harmed.length,
      !harmed.length,
    )
    expect(harmed).toEqual([])
    expect(lives(pid)).toBe(true)
  }, 300_000)
})

describe('row 10: a beforeTermination of one of a common child that never ends', () => {
  it('is written off after its grace, and its neighbours go on', async () => {
    const pid = await gather()
    const before = epochs()
    await speaking('hangs', { ends: 'never' })
    const from = performance.now()
    const { stop_info } = await client.stop('hangs', { timeoutMs: 30_000 })
    measuredMs(10, 'beforeTermination of a shared worker never ends, grace 1 s', 2000, performance.now() - from)
    expect(stop_info).toMatch(/did not end/)
    expect(await unharmed(crowd, before)).toEqual([])
    expect(lives(pid)).toBe(true)
  })

  it('is ended with its process where it never gives way, and its neighbours come back', async () => {
    const pid = await gather()
    await speaking('loops', { ends: 'loops' })
    const from = performance.now()
    await outages(crowd, async () => {
      const { stop_info } = await client.stop('loops', { timeoutMs: 30_000 })
      measuredMs(10, 'beforeTermination of a shared worker loops, grace 1 s', 2000, performance.now() - from)
      expect(stop_info).toMatch(/did not end/)
    })
    expect(lives(pid)).toBe(false)
  })
})

it('what a shared worker prints is in its own log', async () => {
  await gather()
  const file = (nickname: string) => join(node.folder, '.hysas/logs', `${nickname}.log`)
  await command('c4', 'print')
  await until(() => readFileSync(file('c4'), 'utf8').includes('printed'), { what: 'the line in the log of c4' })
})
