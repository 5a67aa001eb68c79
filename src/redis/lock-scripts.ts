import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import { NOW, type ScriptArg, script } from './script.js'

/** BullMQ's lock of a job; a run whose node is silent for so long is given to another. */
export const LOCK_MS = 3000
/** How often jobs without a lock are looked for. */
export const STALL_CHECK_MS = 750

export interface HeldLock {
  type: string
  jobId: string
  /** BullMQ's token. */
  token: string
}

/**
 * Prolongs the locks that a node holds, all in one call, or a few; and takes those again that ended while Redis or the node was
 * away, where nobody else has the job by now (BullMQ's own extendLocks can't revive).
 * @returns those that are lost for good
 */
export async function keepLocks<Lock extends HeldLock>(
  redis: Redis,
  names: Names,
  held: readonly Lock[],
): Promise<Lock[]> {
  const batches: Promise<Lock[]>[] = []
  for (let i = 0; i < held.length; i += AT_ONCE) batches.push(keepSome(redis, names, held.slice(i, i + AT_ONCE)))
  return (await Promise.all(batches)).flat()
}

/** Locks in one call: Redis is held up for a millisecond by that, and its other clients come in between. */
const AT_ONCE = 500

async function keepSome<Lock extends HeldLock>(redis: Redis, names: Names, held: readonly Lock[]): Promise<Lock[]> {
  const keys: string[] = []
  const args: ScriptArg[] = [LOCK_MS]
  for (const { type, jobId, token } of held) {
    keys.push(names.jobLock(type, jobId), `${names.queuePrefix}:${type}:active`)
    args.push(jobId, token)
  }
  const lost = await keepScript(redis, keys, args)
  return lost.flatMap((index) => held[index - 1] ?? [])
}

const keepScript = script<number[]>(`
local lost = {}
for i = 1, #KEYS / 2 do
  local lock, active, id, token = KEYS[2 * i - 1], KEYS[2 * i], ARGV[2 * i], ARGV[2 * i + 1]
  local holder = redis.call('GET', lock)
  if holder == token then
    redis.call('PEXPIRE', lock, ARGV[1])
  elseif not holder and redis.call('LPOS', active, id) then
    redis.call('SET', lock, token, 'PX', ARGV[1])
  else
    lost[#lost + 1] = i
  end
end
return lost
`)

/**
 * May jobs without a lock be called stalled now? Not when nobody has asked for a while: then Redis was away (or all
 * nodes were), locks ended though their holders live, and these get one lock's time to take theirs again.
 */
export async function mayCheckStalls(redis: Redis, names: Names): Promise<boolean> {
  return (await mayCheckScript(redis, [names.stalls], [GAP_MS, SHORT_GAP_MS, LOCK_MS])) === 1
}

/** Measured: with this rule a server that slept 5 s doubled 0 of 3 workers, without it 3 of 3. */
const GAP_MS = 2500
/**
 * A lock that was prolonged a second before Redis went away ends two seconds later: a shorter gap counts too, but not
 * twice in a row, or nodes that are always slow would never take a dead one's jobs.
 */
const SHORT_GAP_MS = 1500

const mayCheckScript = script<number>(`${NOW}
local last = tonumber(redis.call('HGET', KEYS[1], 'asked') or '0')
redis.call('HSET', KEYS[1], 'asked', string.format('%.0f', now))
local gap, lock = now - last, tonumber(ARGV[3])
local before = tonumber(redis.call('HGET', KEYS[1], 'not_before') or '0')
if gap > tonumber(ARGV[1]) or (gap > tonumber(ARGV[2]) and now > before + lock) then
  before = now + lock
  redis.call('HSET', KEYS[1], 'not_before', string.format('%.0f', before))
end
if now < before then return 0 end
return 1
`)
