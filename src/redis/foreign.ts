import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import { inPipeline } from './pipeline.js'

/** What is known of a worker of another HySAS (the Python one) on the same Redis. */
export interface Foreign {
  type: string
  nickname: string
  /** Its Info hash. */
  key: string
  /** Its last heartbeat as it wrote it: by its own host's clock, so only compared with the one before. */
  beat: string
  /** When that was first seen, and when the worker was, by Redis's clock, Unix ms. */
  atMs: number
  sinceMs: number
  /** Its disappearance has been recorded. */
  told: boolean
}

export type ForeignInfo = Record<string, string>

/** Keys that one call of SCAN looks at: each holds Redis up for a fraction of a millisecond. */
const SLICE = 200

/** Looks at a small part of all keys for Info hashes. Go on with the cursor; '0' is the end of a round. */
export async function scanInfos(
  redis: Redis,
  names: Names,
  cursor: string,
): Promise<{ cursor: string; keys: string[] }> {
  const [next, keys] = await redis.scan(cursor, 'MATCH', names.anyInfo, 'COUNT', SLICE, 'TYPE', 'hash')
  return { cursor: next, keys }
}

/** Reads Info hashes; of ours only that they are. */
export async function readForeignBeats(
  redis: Redis,
  keys: readonly string[],
): Promise<{ beat: string; interval: number; ours: boolean }[]> {
  const rows = await inPipeline(redis, keys, (pipeline, key) =>
    pipeline.hmget(key, 'heart_beat', 'heart_beat_interval', 'epoch'),
  )
  return (rows as (string | null)[][]).map(([beat, interval, epoch]) => ({
    beat: beat ?? '',
    interval: intervalOf(interval),
    ours: epoch !== null,
  }))
}

/** Seconds; what can't be one is the ancestor's own default. */
export function intervalOf(text: string | null | undefined): number {
  const seconds = Number(text)
  return seconds > 0 && seconds < 86_400 ? seconds : 1
}

/** All that are known, by `<Type>.<nickname>`. */
export async function readForeign(redis: Redis, names: Names): Promise<Map<string, Foreign>> {
  const entries = Object.entries(await redis.hgetall(names.foreign))
  return new Map(entries.map(([id, text]) => [id, JSON.parse(text) as Foreign]))
}

/** Writes what has changed; `undefined` forgets. */
export async function writeForeign(
  redis: Redis,
  names: Names,
  changes: ReadonlyMap<string, Foreign | undefined>,
): Promise<void> {
  await inPipeline(redis, [...changes], (pipeline, [id, entry]) =>
    entry ? pipeline.hset(names.foreign, id, JSON.stringify(entry)) : pipeline.hdel(names.foreign, id),
  )
}

/** The Info hashes of some. */
export async function readForeignInfos(redis: Redis, some: readonly Foreign[]): Promise<ForeignInfo[]> {
  return (await inPipeline(redis, some, (pipeline, { key }) => pipeline.hgetall(key))) as ForeignInfo[]
}
