import type { Context } from 'hysas'
import { redisOf } from './redis-of.js'

type Place = Pick<Context, 'namespace' | 'redis'>

const MINUTE = 60_000
/** Seconds for which a minute's numbers are kept, for a counter that was away. */
const KEPT_SECONDS = 86_400

/** Sorted set of the minutes with alerts: Unix ms of their beginning. */
const minutesKey = ({ namespace }: Place): string => `${namespace}:alerts:minutes`
/** Hash of one minute: source to number of alerts. */
const minuteKey = ({ namespace }: Place, minute: number): string => `${namespace}:alerts:minute:${minute}`

export const minuteOf = (time: number): number => time - (time % MINUTE)

/**
 * Counts one alert in the minute in which it is raised (the node's clock: alerts of a log that is replayed count now).
 * The numbers lie in Redis, so that they outlive the worker that counts and the one that reads; where there is none,
 * nobody reads them, and nothing is counted.
 */
export async function countAlert(place: Place, source: string, now = Date.now()): Promise<void> {
  const minute = minuteOf(now)
  await redisOf(place)
    ?.multi()
    .hincrby(minuteKey(place, minute), source, 1)
    .expire(minuteKey(place, minute), KEPT_SECONDS)
    .zadd(minutesKey(place), minute, String(minute))
    .zremrangebyscore(minutesKey(place), '-inf', minute - KEPT_SECONDS * 1000)
    .exec()
}

/**
 * The minutes with alerts after `after` and before `before` (Unix ms, both exclusive), oldest first. Also those whose
 * numbers are not kept any more, until the next alert takes them out of the set.
 */
export async function minutesWithAlerts(place: Place, after: number, before: number): Promise<number[]> {
  return (await place.redis.zrangebyscore(minutesKey(place), `(${after}`, `(${before}`)).map(Number)
}

/** Alerts of one minute by source, most first. */
export async function alertsOf(place: Place, minute: number): Promise<{ source: string; count: number }[]> {
  const counts = Object.entries(await place.redis.hgetall(minuteKey(place, minute)))
  return counts.map(([source, count]) => ({ source, count: Number(count) })).sort((a, b) => b.count - a.count)
}
