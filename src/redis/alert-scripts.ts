import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import { script } from './script.js'

/** The place of the node that tells of problems is free again so long after its holder was last heard of. */
const LEASE_MS = 5000

/** Takes or keeps the place of the one node that tells of problems. @returns whether it is this node's */
export async function leaseAlerts(redis: Redis, names: Names, token: string): Promise<boolean> {
  return (await leaseScript(redis, [names.alerter], [token, LEASE_MS])) === 1
}

const leaseScript = script<number>(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`)

/** Lets another node have the place at once. */
export async function releaseAlerts(redis: Redis, names: Names, token: string): Promise<void> {
  await releaseScript(redis, [names.alerter], [token])
}

const releaseScript = script<number>(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`)

/** Problems that are open, by key, as whoever told of them left them. */
export async function readAlerts<Entry>(redis: Redis, names: Names): Promise<Map<string, Entry>> {
  const entries = Object.entries(await redis.hgetall(names.alerts))
  return new Map(entries.map(([key, text]) => [key, JSON.parse(text) as Entry]))
}

/** Writes what has changed; `undefined` removes. */
export async function writeAlerts(redis: Redis, names: Names, changes: ReadonlyMap<string, unknown>): Promise<void> {
  const pipeline = redis.pipeline()
  for (const [key, entry] of changes) {
    if (entry === undefined) pipeline.hdel(names.alerts, key)
    else pipeline.hset(names.alerts, key, JSON.stringify(entry))
  }
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error
}
