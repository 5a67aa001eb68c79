import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import { script } from './script.js'

/** What is in one BullMQ queue, all seen at the same moment. */
export interface QueueSnapshot {
  /** Waiting, delayed or prioritized: nobody holds them. */
  idle: Set<string>
  active: Set<string>
  /** Data (JSON) of the first idle jobs of workers (`w-...`). */
  data: Map<string, string>
  schedulers: SchedulerSnapshot[]
  paused: boolean
  /** Set on the board: at most so many jobs at once, so many in a time. */
  concurrency: string
  rateLimit: string
  /** A rate limit holds the queue back at present. */
  heldBack: boolean
}

export interface SchedulerSnapshot {
  id: string
  /** Unix ms of the next job, which has the id `repeat:<id>:<next>`. */
  nextMs: string
  every: string
  pattern: string
  timezone: string
  /** Template of the jobs' data, JSON. */
  data: string
  /** Not empty where it was given an end: limit, start or end date. */
  bounds: string
}

/** Jobs whose data is read: more wait only while a fleet starts, and then they are looked at next time. */
const DATA_LIMIT = 500

export async function readQueue(redis: Redis, names: Names, type: string): Promise<QueueSnapshot> {
  const key = (part: string) => `${names.queuePrefix}:${type}:${part}`
  const [idle, active, data, schedulers, meta, limited] = await queueScript(
    redis,
    ['wait', 'paused', 'active', 'delayed', 'prioritized', 'repeat', 'meta', 'limiter'].map(key),
    [key(''), DATA_LIMIT],
  )
  const [paused, concurrency, max] = meta
  return {
    idle: new Set(idle),
    active: new Set(active),
    data: new Map(data.map(([id = '', text = '']) => [id, text])),
    schedulers: schedulers.map(
      ([id = '', nextMs = '', every = '', pattern = '', timezone = '', text = '', bounds = '']) => ({
        id,
        nextMs,
        every,
        pattern,
        timezone,
        data: text,
        bounds,
      }),
    ),
    paused: paused !== '',
    concurrency: concurrency ?? '',
    rateLimit: max ?? '',
    heldBack: limited === 1,
  }
}

// One script, so that a job on its way from one list to the other is in one of them.
const queueScript = script<[string[], string[], string[][], string[][], string[], number]>(`
local idle, data, schedulers = {}, {}, {}
local function take(ids)
  for _, id in ipairs(ids) do
    idle[#idle + 1] = id
    if #data < tonumber(ARGV[2]) and string.sub(id, 1, 2) == 'w-' then
      data[#data + 1] = {id, redis.call('HGET', ARGV[1] .. id, 'data') or ''}
    end
  end
end
take(redis.call('LRANGE', KEYS[1], 0, -1))
take(redis.call('LRANGE', KEYS[2], 0, -1))
take(redis.call('ZRANGE', KEYS[4], 0, -1))
take(redis.call('ZRANGE', KEYS[5], 0, -1))
local repeats = redis.call('ZRANGE', KEYS[6], 0, -1, 'WITHSCORES')
for i = 1, #repeats, 2 do
  local s = redis.call('HMGET', KEYS[6] .. ':' .. repeats[i], 'every', 'pattern', 'tz', 'data', 'limit', 'startDate', 'endDate')
  schedulers[#schedulers + 1] = {repeats[i], repeats[i + 1], s[1] or '', s[2] or '', s[3] or '', s[4] or '',
    (s[5] or '') .. (s[6] or '') .. (s[7] or '')}
end
local meta = redis.call('HMGET', KEYS[7], 'paused', 'concurrency', 'max')
return {idle, redis.call('LRANGE', KEYS[3], 0, -1), data, schedulers, {meta[1] or '', meta[2] or '', meta[3] or ''},
  redis.call('EXISTS', KEYS[8])}
`)

/** Fields of the worker hashes of all that is wanted, with what the reconciler keeps there. */
export async function readWantedHashes(redis: Redis, names: Names) {
  const nicknames = await redis.smembers(names.wanted)
  const workers = []
  for (let i = 0; i < nicknames.length; i += BATCH) {
    const batch = nicknames.slice(i, i + BATCH)
    const rows = await wantedScript(redis, batch.map(names.worker), [])
    for (const [j, nickname] of batch.entries()) {
      const [type, revision, kind, since, system, schedule] = rows[j] ?? []
      if (!type || !revision) continue
      const settings = { system: system === '1', schedule: schedule ?? '' }
      workers.push({
        nickname,
        type,
        revision: Number(revision),
        kind: kind ?? '',
        since: Number(since || 0),
        ...settings,
      })
    }
  }
  return workers
}

/** Workers in one script: each call holds Redis up for less than a millisecond, and costs one reply, not as many. */
const BATCH = 250

const wantedScript = script<string[][]>(`
local rows = {}
for i, worker in ipairs(KEYS) do
  local w = redis.call('HMGET', worker, 'type', 'revision', 'kind', 'since', 'system', 'schedule')
  rows[i] = {w[1] or '', w[2] or '', w[3] or '', w[4] or '', w[5] or '', w[6] or ''}
end
return rows
`)

export interface Schedule {
  every: number | null
  cron: string | null
  timezone: string | null
}

/** Keeps with the worker the schedule that it was started with, unless it has been commanded anew since. */
export async function pinSchedule(
  redis: Redis,
  names: Names,
  nickname: string,
  revision: number,
  schedule: Schedule,
): Promise<void> {
  await pinScript(redis, [names.worker(nickname)], [revision, JSON.stringify({ revision, ...schedule })])
}

/** Notes what a worker is by now, its file having been edited; with its ticks, its schedule is gone. */
export async function keepKind(
  redis: Redis,
  names: Names,
  nickname: string,
  revision: number,
  kind: string,
): Promise<void> {
  await kindScript(redis, [names.worker(nickname)], [revision, kind])
}

const kindScript = script<number>(`
if redis.call('HGET', KEYS[1], 'revision') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'kind', ARGV[2])
if ARGV[2] ~= 'repeatable' then redis.call('HDEL', KEYS[1], 'schedule') end
return 1
`)

const pinScript = script<number>(`
if redis.call('HGET', KEYS[1], 'revision') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'schedule', ARGV[2])
return 1
`)
