import type { Redis } from 'ioredis'
import { bullFunction } from './bull-functions.js'
import type { Names } from './names.js'
import { schedulerIdOf } from './names.js'
import { dueAfterMs } from './run-scripts.js'
import { NOW, type ScriptArg, script } from './script.js'

/** A tick that is to begin in the child of an earlier one, which holds the name. */
export interface TickClaim {
  nickname: string
  revision: number
  jobId: string
  /** The run token that the child has claimed with. */
  token: string
}

/** `ok`: the tick may begin. `no`: it is to be looked at in full, by `claim`. */
export type TickVerdict = { ok: true; epoch: number; params: string; skipped: number } | { ok: false }

/**
 * Has many ticks of one type claim the name, each as `claim` with mode `tick` does where the run token is the same: only
 * with its job's lock still held, only for the wanted revision, and only where no other run holds the name. Nothing is
 * written for the others.
 */
export async function claimTicks(
  redis: Redis,
  names: Names,
  { type, lockToken, heartbeatSeconds }: { type: string; lockToken: string; heartbeatSeconds: number },
  ticks: readonly TickClaim[],
): Promise<{ nowMs: number; verdicts: TickVerdict[] }> {
  const keys: string[] = [names.beats, names.ended]
  const args: ScriptArg[] = [lockToken, dueAfterMs(heartbeatSeconds)]
  for (const { nickname, revision, jobId, token } of ticks) {
    const lock = names.jobLock(type, jobId)
    keys.push(names.worker(nickname), names.info(type, nickname), lock, names.restored(nickname))
    args.push(token, revision, `${type}.${nickname}`)
  }
  const [nowMs, ...flat] = await claimScript(redis, keys, args)
  const verdicts = ticks.map((_, i): TickVerdict => {
    const [epoch, params, skipped] = flat.slice(3 * i, 3 * i + 3)
    return epoch ? { ok: true, epoch: Number(epoch), params: params || '{}', skipped: Number(skipped) } : { ok: false }
  })
  return { nowMs: Number(nowMs), verdicts }
}

const claimScript = script<string[]>(`${NOW}
local lockToken, at = ARGV[1], string.format('%.0f', now)
local beat, due = string.format('%.3f', now / 1000), now + tonumber(ARGV[2])
local reply, a = {at}, 3
for k = 3, #KEYS, 4 do
  local worker, lock = KEYS[k], KEYS[k + 2]
  local epoch, params, skipped = '', '', '0'
  if redis.call('GET', lock) == lockToken then
    local w = redis.call('HMGET', worker, 'wanted', 'revision', 'running', 'token', 'lock', 'lockToken', 'epoch', 'params')
    local busy = w[3] == '1' and w[5] ~= lock and w[5] and redis.call('GET', w[5]) == w[6]
    if w[1] == '1' and w[2] == ARGV[a + 1] and w[4] == ARGV[a] and w[7] and not busy
        and redis.call('EXISTS', KEYS[k + 3]) == 0 then
      epoch, params = w[7], w[8] or '{}'
      skipped = redis.call('HGET', KEYS[k + 1], 'skipped') or '0'
      redis.call('HSET', KEYS[k + 1], 'heart_beat', beat)
      redis.call('HSET', worker, 'lock', lock, 'lockToken', lockToken, 'running', '1', 'claimed_at', at,
        'run_revision', w[2])
      redis.call('HDEL', worker, 'next_start_at', 'ended_as')
      redis.call('ZREM', KEYS[2], ARGV[a + 2])
      redis.call('ZADD', KEYS[1], due, ARGV[a + 2])
    end
  end
  reply[#reply + 1] = epoch
  reply[#reply + 1] = params
  reply[#reply + 1] = skipped
  a = a + 3
end
return reply
`)

/** A tick that has ended well. */
export interface TickEnd {
  nickname: string
  jobId: string
  lockToken: string
  /** The run token. */
  token: string
  /** Names and texts of the Info fields that have changed. */
  fields: readonly string[]
}

/** Redis's own queue keys of a type that BullMQ's `moveToFinished` wants, but for that of the job. */
const FINISHED = [
  'wait',
  'active',
  'prioritized',
  'events',
  'stalled',
  'limiter',
  'delayed',
  'paused',
  'meta',
  'pc',
  'completed',
]
const moveToFinished = bullFunction('moveToFinished', 14)

/** Whether this BullMQ's script is the one that `endTicks` is made of. */
export const CAN_END_TICKS = moveToFinished !== undefined

/**
 * Writes the end of many ticks of one type, each as `finish` with `ticked` does, and completes and removes their jobs, as BullMQ
 * does. Sent again, because the connection broke before the answer, it is answered as the first time.
 * @returns for each whether its end was written (a later run holds the name otherwise), and BullMQ's error code, 0 for none
 */
export async function endTicks(
  redis: Redis,
  names: Names,
  type: string,
  ticks: readonly TickEnd[],
): Promise<{ finished: boolean; code: number }[]> {
  const prefix = `${names.queuePrefix}:${type}:`
  const keys = [names.beats, ...[...FINISHED, 'metrics:completed', 'marker', 'repeat'].map((part) => prefix + part)]
  const args: ScriptArg[] = [prefix, Date.now(), type, GRACE_MS]
  for (const { nickname, jobId, lockToken, token, fields } of ticks) {
    keys.push(names.worker(nickname), names.info(type, nickname))
    args.push(jobId, lockToken, token, nickname, schedulerIdOf(nickname), fields.length, ...fields)
  }
  const codes = await endScript(redis, keys, args)
  return ticks.map((_, i) => ({ finished: codes[2 * i] === 1, code: codes[2 * i + 1] ?? 0 }))
}

/** A tick may be so late before the worker counts as disappeared, ms. */
const GRACE_MS = 2000

const endScript = script<number[]>(`${NOW}
${moveToFinished ?? ''}
local K, prefix, timestamp, typeName, grace = KEYS, ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local at = string.format('%.3f', now / 1000)
local reply, a = {}, 5
for k = 16, #KEYS, 2 do
  local worker, info = KEYS[k], KEYS[k + 1]
  local id, lockToken, token, nickname, count = ARGV[a], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], tonumber(ARGV[a + 5])
  local w = redis.call('HMGET', worker, 'token', 'running', 'doubted', 'lock', 'lockToken')
  local finished, how = 0, 'stale'
  local repeated = w[1] == token and w[2] == '0' and w[4] == prefix .. id .. ':lock' and w[5] == lockToken
  if w[1] == token and w[2] == '1' then
    finished, how = 1, 'ticked'
    if w[3] then
      redis.call('HDEL', worker, 'doubted')
      redis.call('HSET', info, 'stop_info', '', 'error_msg', '')
    end
    local nextTick = tonumber(redis.call('ZSCORE', KEYS[15], ARGV[a + 4]) or '0')
    if nextTick < now then nextTick = now end
    local following = string.format('%.3f', nextTick / 1000)
    redis.call('HSET', worker, 'running', '0', 'crashes', '0')
    redis.call('HSET', info, 'heart_beat', at, 'status', 'started', 'next_tick', following, unpack(ARGV, a + 6, a + 5 + count))
    redis.call('ZADD', KEYS[1], nextTick + grace, typeName .. '.' .. nickname)
    redis.call('PUBLISH', info, '{"heart_beat":' .. at .. ',"type":"' .. typeName .. '","nickname":"' .. nickname ..
      '","token":"' .. token .. '","status":"started","next_tick":' .. following .. '}')
  end
  if repeated then finished, how = 1, 'ticked' end
  local keys = {K[2], K[3], K[4], K[5], K[6], K[7], K[8], K[9], K[10], K[11], K[12], prefix .. id, K[13], K[14]}
  local opts = cmsgpack.pack({token = lockToken, keepJobs = {count = 0}, attempts = 1, maxMetricsSize = ''})
  local value = '{"how":"' .. how .. '","nickname":"' .. nickname .. '"}'
  local isGone = repeated and redis.call('EXISTS', prefix .. id) == 0
  local done = isGone and 0 or moveToFinished(keys, {id, timestamp, 'returnvalue', value, 'completed', '0', prefix, opts})
  reply[#reply + 1] = finished
  reply[#reply + 1] = type(done) == 'number' and done or 0
  a = a + 6 + count
end
return reply
`)
