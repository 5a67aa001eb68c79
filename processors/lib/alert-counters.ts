import type { Context } from 'hysas'

type Redis = Context['redis']

const MINUTE = 60_000
/** Seconds for which a minute's numbers are kept, for a counter that was away. */
const KEPT_SECONDS = 86_400
const MINUTES_KEY = 'alerts:minutes'

/** Where the numbers of a minute lie: a hash of source to number of alerts. `minute` is Unix ms of its beginning. */
const minuteKey = (minute: number): string => `alerts:minute:${minute}`

export const minuteOf = (time: number): number => time - (time % MINUTE)

/**
 * Counts one alert in the minute in which it is raised (the node's clock: alerts of a log that is replayed count now).
 * The numbers lie in Redis, so that they outlive the worker that counts and the one that reads.
 */
export async function countAlert(redis: Redis, source: string, now = Date.now()): Promise<void> {
  const minute = minuteOf(now)
  await redis
    .multi()
    .hincrby(minuteKey(minute), source, 1)
    .expire(minuteKey(minute), KEPT_SECONDS)
    .zadd(MINUTES_KEY, minute, String(minute))
    .zremrangebyscore(MINUTES_KEY, '-inf', minute - KEPT_SECONDS * 1000)
    .exec()
}

/** The minutes with alerts after `after` and before `before` (Unix ms, both exclusive), oldest first. */
export async function minutesWithAlerts(redis: Redis, after: number, before: number): Promise<number[]> {
  return (await redis.zrangebyscore(MINUTES_KEY, `(${after}`, `(${before}`)).map(Number)
}

/** Alerts of one minute by source, most first. */
export async function alertsOf(redis: Redis, minute: number): Promise<{ source: string; count: number }[]> {
  const counts = Object.entries(await redis.hgetall(minuteKey(minute)))
  return counts.map(([source, count]) => ({ source, count: Number(count) })).sort((a, b) => b.count - a.count)
}
