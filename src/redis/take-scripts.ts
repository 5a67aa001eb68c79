import type { Redis } from 'ioredis'
import { bullFunction } from './bull-functions.js'
import { LOCK_MS } from './lock-scripts.js'
import type { Names } from './names.js'
import { script } from './script.js'

/** A tick's job that was taken, and locked. */
export interface TakenTick {
  jobId: string
  nickname: string
  revision: number
  /** Its period, ms. */
  every: number
}

export interface Taken {
  ticks: TakenTick[]
  /** Jobs that were taken, but are none of the ordinary ticks: whose next one BullMQ has to schedule yet, by their ids. */
  others: string[]
  /** Unix ms of the next job, where all that were due have been taken and there is one. */
  nextMs: number | undefined
  /** For so long the queue's rate limit holds all others back. */
  limitedMs: number
}

const ACTIVE = [
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
  'marker',
]
const moveToActive = bullFunction('moveToActive', ACTIVE.length)
const updateJobScheduler = bullFunction('updateJobScheduler', 12)

/** Whether this BullMQ's scripts are those that `takeTicks` is made of. */
export const CAN_TAKE_TICKS = moveToActive !== undefined && updateJobScheduler !== undefined

/**
 * Takes up to `most` jobs of a repeatable type, each exactly as a BullMQ Worker does: it is made active, it is locked with
 * `lockToken`, and its scheduler is given its next job.
 * @param of.lockToken another one for each call: a call that is sent again, because the connection broke before the answer, is
 * answered as the first time
 */
export async function takeTicks(
  redis: Redis,
  names: Names,
  { type, lockToken, most }: { type: string; lockToken: string; most: number },
): Promise<Taken> {
  const prefix = `${names.queuePrefix}:${type}:`
  const keys = [...[...ACTIVE, 'repeat', 'id'].map((part) => prefix + part), names.taken(lockToken)]
  const [limitedMs, nextMs, ...jobs] = await takeScript(redis, keys, [prefix, Date.now(), lockToken, LOCK_MS, most])
  const taken: Taken = { ticks: [], others: [], nextMs: Number(nextMs) || undefined, limitedMs: Number(limitedMs) }
  for (let i = 0; i + 2 < jobs.length; i += 3) {
    const [jobId = '', every, data = ''] = jobs.slice(i, i + 3)
    const tick = every ? tickOf(jobId, Number(every), data) : undefined
    if (tick) taken.ticks.push(tick)
    else taken.others.push(jobId)
  }
  return taken
}

function tickOf(jobId: string, every: number, data: string): TakenTick | undefined {
  try {
    const { nickname, revision } = (JSON.parse(data) ?? {}) as { nickname?: unknown; revision?: unknown }
    return typeof nickname === 'string' && typeof revision === 'number'
      ? { jobId, nickname, revision, every }
      : undefined
  } catch {
    return undefined // written by hand: those taken with it must not wait for it
  }
}

// Of a job whose scheduler is a plain period, the next one is made here, with the options that BullMQ would give it: those of
// this one, but for its number and its time. All others are told, for BullMQ to do it.
const takeScript = script<string[]>(`
${moveToActive ?? ''}
${updateJobScheduler ?? ''}
local prefix, timestamp = ARGV[1], ARGV[2]
local K = KEYS
local before = redis.call('GET', K[14])
if before then return cmsgpack.unpack(before) end
local activeArgs = {prefix, timestamp, cmsgpack.pack({token = ARGV[3], lockDuration = tonumber(ARGV[4])})}
local nextKeys = {K[12], K[7], K[1], K[8], K[9], K[3], K[11], K[13], K[4], K[10], '', K[2]}
local reply, limited, nextAt = {'0', '0'}, 0, 0
local function schedule(id, job)
  local key = job.rjk
  if not key or string.find(key, ':', 1, true) then return '' end
  local ok, opts = pcall(cjson.decode, job.opts or '{}')
  if not ok or type(opts) ~= 'table' then return '' end
  local rep = opts['repeat']
  if type(rep) ~= 'table' or not tonumber(rep.every) or rep.pattern or rep.limit or rep.startDate or rep.endDate then return '' end
  opts.timestamp = tonumber(timestamp)
  opts.prevMillis = nil
  rep.immediately = nil
  rep.count = (tonumber(rep.count) or 0) + 1
  if rep.offset == 0 then rep.offset = nil end
  updateJobScheduler(nextKeys, {'', key, job.data or '{}', cmsgpack.pack(opts), timestamp, prefix, id})
  return tostring(rep.every)
end
for n = 1, tonumber(ARGV[5]) do
  local found = moveToActive(K, activeArgs)
  local flat = found[1]
  if type(flat) ~= 'table' then
    limited, nextAt = found[3], found[4]
    break
  end
  local job = {}
  for i = 1, #flat, 2 do job[flat[i]] = flat[i + 1] end
  reply[#reply + 1] = found[2]
  reply[#reply + 1] = schedule(found[2], job)
  reply[#reply + 1] = job.data or '{}'
end
reply[1] = string.format('%.0f', limited)
reply[2] = string.format('%.0f', math.floor(nextAt))
if #reply > 2 then redis.call('SET', K[14], cmsgpack.pack(reply), 'PX', ARGV[4]) end -- for as long as they are locked
return reply
`)
