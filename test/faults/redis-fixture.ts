import { Redis } from 'ioredis'
import { afterAll, expect } from 'vitest'
import type { Client, WorkerView } from '../../src/client.js'
import { namesOf } from '../../src/redis/names.js'
import { until } from '../helpers/until.js'
import { measured } from './table.js'

const opened: Redis[] = []

afterAll(() => {
  for (const redis of opened) redis.disconnect()
})

/** A connection that is back at once when its Redis is, so that little goes unheard. */
export function listener(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 20 })
  redis.on('error', () => {})
  opened.push(redis)
  return redis
}

export interface Said {
  nickname: string
  epoch: number
  pid: number
  n: number
  /** When it came, by the monotonic clock, ms. */
  at: number
}

/** All that the workers of type Says publish, as it comes. */
export async function hearSaid(namespace: string, url: string) {
  const names = namesOf(namespace)
  const subscriber = listener(url)
  const all: Said[] = []
  subscriber.on('pmessage', (_pattern: string, channel: string, raw: string) => {
    const nickname = names.parsePub(channel)?.nickname ?? ''
    all.push({ nickname, ...(JSON.parse(raw) as Omit<Said, 'nickname' | 'at'>), at: performance.now() })
  })
  await subscriber.psubscribe(names.pubPattern('Says'))
  const since = (at: number) => all.filter((said) => said.at >= at)
  return {
    all,
    since,
    /** Resolves with the ms from `at` on until each of these has been heard after it. */
    async backAfter(at: number, nicknames: readonly string[], timeoutMs = 30_000): Promise<number> {
      await until(() => nicknames.every((one) => since(at).some(({ nickname }) => nickname === one)), {
        timeoutMs,
        everyMs: 5,
        what: `${nicknames.join(' ')} speak again`,
      })
      return Math.max(...nicknames.map((one) => (since(at).find(({ nickname }) => nickname === one)?.at ?? 0) - at))
    },
    /** Messages of an older run after one of a later. */
    stale: (): string[] => staleOf(all),
    /** Nicknames under which more than one process has spoken since. */
    doubled(at: number): string[] {
      const pids = new Map<string, Set<number>>()
      for (const { nickname, pid } of since(at)) pids.set(nickname, (pids.get(nickname) ?? new Set()).add(pid))
      return [...pids].flatMap(([nickname, { size }]) => (size > 1 ? [nickname] : []))
    },
  }
}

function staleOf(all: readonly Said[]): string[] {
  const latest = new Map<string, number>()
  return all.flatMap(({ nickname, epoch, n }) => {
    const before = latest.get(nickname) ?? 0
    latest.set(nickname, Math.max(before, epoch))
    return epoch < before ? [`${nickname}: ${epoch} (${n}) after ${before}`] : []
  })
}

export type Runs = Map<string, WorkerView>

/** The workers of type Says, once all are started. */
export async function runsOf(client: Client, count: number, timeoutMs = 30_000): Promise<Runs> {
  return until(
    async () => {
      const workers = (await client.list()).filter(({ type, wanted }) => type === 'Says' && wanted)
      const started = workers.filter(({ status }) => status === 'started')
      return started.length === count ? new Map(started.map((worker) => [worker.nickname, worker])) : undefined
    },
    { timeoutMs, what: `${count} workers started` },
  )
}

/** How many of them have another run than before. */
export function changedRuns(before: Runs, after: Runs): number {
  return [...before].filter(([nickname, { epoch }]) => after.get(nickname)?.epoch !== epoch).length
}

/** Starts workers of type Says, one after another, and waits until all have spoken. */
export async function startSaying(client: Client, nicknames: readonly string[], params = {}): Promise<void> {
  for (const nickname of nicknames) {
    const { result } = await client.start('Says', nickname, params, { timeoutMs: 30_000 })
    expect(result).toBe('started')
  }
}

/** Can networks and disks be made here? Where not, it says so, in the table too, and the test does nothing. */
export function canInject(row: number, fault: string): boolean {
  if (process.platform === 'linux' && process.getuid?.() === 0) return true
  const why = 'not possible here: it takes root on Linux'
  console.warn(`${fault}: ${why}`)
  measured(row, fault, why, '', false)
  return false
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
