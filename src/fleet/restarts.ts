import type { Redis } from 'ioredis'
import type { Names } from '../redis/names.js'

/** How often runs of these workers ended by themselves since the last start command; of who is unknown, none. */
export async function readRestarts(
  redis: Redis,
  names: Names,
  nicknames: readonly string[],
): Promise<Map<string, number>> {
  const pipeline = redis.pipeline()
  for (const nickname of nicknames) pipeline.hget(names.worker(nickname), 'restarts')
  const replies = (await pipeline.exec()) ?? []
  return new Map(
    nicknames.flatMap((nickname, i): [string, number][] => {
      const [error, reply] = replies[i] ?? []
      if (error) throw error
      return typeof reply === 'string' ? [[nickname, Number(reply)]] : []
    }),
  )
}
