import type { Redis } from 'ioredis'
import { abandon } from '../redis/connect.js'

/** A node that ends waits for a Redis that is away no longer than this. */
const AWAY_MS = 2000
const LOOK_MS = 250

/** A Redis that is away must not keep a node from ending: what waits for it fails then. */
export function leaveWithoutRedis(redis: Redis, isAnswered: () => boolean): { release(): void } {
  let lastMs = performance.now()
  const timer = setInterval(() => {
    if (redis.status === 'ready' && isAnswered()) lastMs = performance.now()
    else if (performance.now() - lastMs > AWAY_MS && redis.status !== 'end') abandon(redis)
  }, LOOK_MS)
  return { release: () => clearInterval(timer) }
}
