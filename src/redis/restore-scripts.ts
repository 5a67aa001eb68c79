import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import { script } from './script.js'

/** How the fleet stands: a generation that is new has lost all that was; a version that is new has changed. */
export interface FleetState {
  generation: string
  version: number
}

/** Reads it, and makes it where there is none. `known` keeps the version rising over a Redis that lost its data. */
export async function readFleetState(redis: Redis, names: Names, known = 0): Promise<FleetState> {
  const [generation, version] = await stateScript(redis, [names.fleet], [randomUUID(), known])
  return { generation, version: Number(version) }
}

const stateScript = script<[string, string]>(`
if redis.call('HSETNX', KEYS[1], 'generation', ARGV[1]) == 1 then redis.call('HSET', KEYS[1], 'version', ARGV[2]) end
return redis.call('HMGET', KEYS[1], 'generation', 'version')
`)

/** Fields of a worker's hash, as `HGETALL` gives them. */
export type WorkerHash = Record<string, string>

/** How long the run that went on has for getting its new job, ms; after that any node may begin a new one. */
const ADOPT_MS = 8000

/**
 * Puts a worker's hash back that Redis has lost, with the run that still holds it (`running`), if there is one.
 * @returns false where it is there: another node was first, or somebody has commanded it anew
 */
export async function restoreWorker(redis: Redis, names: Names, hash: WorkerHash): Promise<boolean> {
  const nickname = hash.nickname ?? ''
  const restored = names.restored(nickname)
  const keys = [names.worker(nickname), names.workers, names.wanted, names.fleet, names.revision, restored]
  const held = hash.running === '1' ? { ...hash, lock: restored, lockToken: hash.token ?? '' } : hash
  return (
    (await restoreScript(redis, keys, [nickname, hash.revision ?? '0', ADOPT_MS, ...Object.entries(held).flat()])) === 1
  )
}

const restoreScript = script<number>(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
if redis.call('HGET', KEYS[1], 'running') == '1' then
  redis.call('SET', KEYS[6], redis.call('HGET', KEYS[1], 'token'), 'PX', ARGV[3])
end
redis.call('SADD', KEYS[2], ARGV[1])
if redis.call('HGET', KEYS[1], 'wanted') == '1' then redis.call('SADD', KEYS[3], ARGV[1]) end
redis.call('HINCRBY', KEYS[4], 'version', 1)
if tonumber(redis.call('GET', KEYS[5]) or '0') < tonumber(ARGV[2]) then redis.call('SET', KEYS[5], ARGV[2]) end
return 1
`)

/** Lets a job that is held anew stand for the run that went on meanwhile. @returns false where the run is not the holder */
export async function adoptJob(
  redis: Redis,
  names: Names,
  run: { nickname: string; token: string },
  held: { type: string; jobId: string; token: string },
): Promise<boolean> {
  const lock = names.jobLock(held.type, held.jobId)
  const keys = [names.worker(run.nickname), names.restored(run.nickname)]
  return (await adoptScript(redis, keys, [run.token, lock, held.token])) === 1
}

const adoptScript = script<number>(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'lock', ARGV[2], 'lockToken', ARGV[3])
redis.call('DEL', KEYS[2])
return 1
`)
