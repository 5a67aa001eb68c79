import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import { script } from './script.js'

/**
 * How the fleet stands: with another `generation` all that was is lost; with another `setBack` what came last is, since Redis came
 * back with older data; with another `version` something has changed.
 */
export interface FleetState {
  generation: string
  setBack: string
  version: number
}

/**
 * Reads it, and makes it where there is none. The version rises over whatever Redis loses: where it is lower than it was known,
 * it is written anew, with a `setBack` that tells all nodes so.
 */
export async function readFleetState(redis: Redis, names: Names, known?: FleetState): Promise<FleetState> {
  const { generation: of = '', version: last = 0 } = known ?? {}
  const [generation, setBack, version] = await stateScript(redis, [names.fleet], [randomUUID(), of, last])
  return { generation, setBack, version: Number(version) }
}

const stateScript = script<[string, string, string]>(`
local known = tonumber(ARGV[3])
if redis.call('HSETNX', KEYS[1], 'generation', ARGV[1]) == 1 then
  redis.call('HSET', KEYS[1], 'version', known + 1)
elseif redis.call('HGET', KEYS[1], 'generation') == ARGV[2] and tonumber(redis.call('HGET', KEYS[1], 'version')) < known then
  redis.call('HSET', KEYS[1], 'set_back', ARGV[1], 'version', known + 1)
end
local state = redis.call('HMGET', KEYS[1], 'generation', 'set_back', 'version')
return {state[1], state[2] or '', state[3]}
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
