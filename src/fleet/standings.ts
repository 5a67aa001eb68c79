import type { Redis } from 'ioredis'
import type { Names } from '../redis/names.js'
import { inPipeline } from '../redis/pipeline.js'

export type Hash = Record<string, string>

/** What Redis holds of one worker; empty where it knows none. */
export interface Standing {
  /** The fleet's word. */
  worker: Hash
  /** That of its last run. */
  info: Hash
}

/** Workers in one transaction, for which Redis stands still: a fraction of a millisecond. */
const AT_ONCE = 20

/**
 * Of each nickname, in their order, the fleet's word and the run's, both of one moment: a run that ends writes both in one
 * step, and half of that would be a state that never was.
 */
export async function readStandings(redis: Redis, names: Names, nicknames: readonly string[]): Promise<Standing[]> {
  const standings = new Map<string, Standing>()
  let left = nicknames
  while (left.length) {
    const types = (await inPipeline(redis, left, (pipeline, one) => pipeline.hget(names.worker(one), 'type'))) as (
      | string
      | null
    )[]
    const asked = left.map((nickname, i) => ({ nickname, type: types[i] ?? undefined }))
    const read = await Promise.all(slices(asked, AT_ONCE).map((some) => readAtOnce(redis, names, some)))
    for (const [i, standing] of read.flat().entries()) {
      const { nickname, type } = asked[i] ?? {}
      // another type has taken the name since: its Info is elsewhere
      if (nickname && standing.worker.type === type) standings.set(nickname, standing)
    }
    left = left.filter((nickname) => !standings.has(nickname))
  }
  return nicknames.flatMap((nickname) => standings.get(nickname) ?? [])
}

async function readAtOnce(
  redis: Redis,
  names: Names,
  some: readonly { nickname: string; type: string | undefined }[],
): Promise<Standing[]> {
  const transaction = redis.multi()
  for (const { nickname, type } of some) {
    transaction.hgetall(names.worker(nickname)).hgetall(names.info(type ?? '', nickname))
  }
  const hashes = ((await transaction.exec()) ?? []).map(([error, hash]) => {
    if (error) throw error
    return hash as Hash
  })
  return some.map((_, i) => ({ worker: hashes[2 * i] ?? {}, info: hashes[2 * i + 1] ?? {} }))
}

function slices<T>(items: readonly T[], length: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / length) }, (_, i) => items.slice(i * length, (i + 1) * length))
}
