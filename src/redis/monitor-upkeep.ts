import type { Redis } from 'ioredis'
import { type Member, memberOf } from './monitor-scripts.js'
import type { Names } from './names.js'
import { NOW, script } from './script.js'

/** Workers in one script: each call holds Redis up for less than a millisecond. */
const BATCH = 200

export interface Hearing extends Member {
  /** Channels and patterns that it hears. */
  dataFeeder: string
  /** Who hears it, as Info has it: JSON, or empty. */
  follower: string
}

/** What every run that is expected to beat hears, and by whom Info says that it is heard. */
export async function readHearings(redis: Redis, names: Names): Promise<Hearing[]> {
  const members = (await redis.zrange(names.beats, '0', '-1')).map(memberOf)
  const hearings: Hearing[] = []
  for (const batch of batches(members)) {
    const rows = await hearingsScript(
      redis,
      batch.map(({ type, nickname }) => names.info(type, nickname)),
      [],
    )
    for (const [i, member] of batch.entries())
      hearings.push({ ...member, dataFeeder: rows[i]?.[0] ?? '', follower: rows[i]?.[1] ?? '' })
  }
  return hearings
}

const hearingsScript = script<(string | null)[][]>(`
local rows = {}
for i, info in ipairs(KEYS) do
  local f = redis.call('HMGET', info, 'data_feeder', 'follower')
  rows[i] = {f[1] or '', f[2] or ''}
end
return rows
`)

/** Writes `follower` (JSON) into Info hashes; one that is gone by now stays gone. */
export async function writeFollowers(
  redis: Redis,
  names: Names,
  changed: readonly (Member & { follower: string })[],
): Promise<void> {
  for (const batch of batches(changed)) {
    await followersScript(
      redis,
      batch.map(({ type, nickname }) => names.info(type, nickname)),
      batch.map(({ follower }) => follower),
    )
  }
}

const followersScript = script<null>(`
for i, info in ipairs(KEYS) do
  if redis.call('EXISTS', info) == 1 then redis.call('HSET', info, 'follower', ARGV[i]) end
end
`)

/** How long what ended is remembered. */
export const REMEMBERED_MS = 86_400_000

/**
 * Forgets what ended a day ago: Info, and the worker hash and log of a nickname that nobody wants. What is wanted is
 * kept, and looked at again a day later. @returns how many were forgotten
 */
export async function forgetEnded(redis: Redis, names: Names, nowMs: number): Promise<number> {
  const old = await redis.zrangebyscore(names.ended, '-inf', nowMs - REMEMBERED_MS, 'LIMIT', 0, BATCH)
  let forgotten = 0
  for (const member of old) {
    const { type, nickname } = memberOf(member)
    forgotten += await forgetScript(
      redis,
      [
        names.worker(nickname),
        names.info(type, nickname),
        names.beats,
        names.ended,
        names.workers,
        names.log(nickname),
        names.pending(nickname),
        names.published,
        names.channels,
      ],
      [member, type, nickname, REMEMBERED_MS, names.pub(type, nickname)],
    )
  }
  return forgotten
}

const forgetScript = script<number>(`${NOW}
local worker, info, beats, ended = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local member, type, nickname = ARGV[1], ARGV[2], ARGV[3]
local at = redis.call('ZSCORE', ended, member)
if not at or tonumber(at) > now - tonumber(ARGV[4]) then return 0 end
if redis.call('ZSCORE', beats, member) then
  redis.call('ZREM', ended, member)
  return 0
end
local w = redis.call('HMGET', worker, 'type', 'wanted', 'running')
local current = w[1] == type
if current and (w[2] == '1' or w[3] == '1') then
  redis.call('ZADD', ended, now, member)
  return 0
end
redis.call('ZREM', ended, member)
redis.call('DEL', info)
redis.call('HDEL', KEYS[8], ARGV[5])
redis.call('ZREM', KEYS[9], 't ' .. type .. ' ' .. ARGV[5], 'n ' .. nickname .. ' ' .. ARGV[5], 'o ' .. ARGV[5])
if current or not w[1] then
  redis.call('DEL', worker, KEYS[6], KEYS[7])
  redis.call('SREM', KEYS[5], nickname)
end
return 1
`)

/**
 * Looks at a few more of all known nicknames, for what never had a run that could end: names whose hash is gone are
 * dropped, unwanted ones join what ended, so that they are forgotten in time. @returns the cursor to go on with
 */
export async function sweepNeverRun(redis: Redis, names: Names, cursor: string): Promise<string> {
  const [next, nicknames] = await redis.sscan(names.workers, cursor, 'COUNT', 50)
  if (nicknames.length) {
    await sweepScript(redis, [names.workers, names.beats, names.ended, ...nicknames.map(names.worker)], nicknames)
  }
  return next
}

const sweepScript = script<null>(`
for i, nickname in ipairs(ARGV) do
  local w = redis.call('HMGET', KEYS[i + 3], 'type', 'wanted', 'running', 'since')
  if not w[1] then
    if redis.call('EXISTS', KEYS[i + 3]) == 0 then redis.call('SREM', KEYS[1], nickname) end
  elseif w[2] ~= '1' and w[3] ~= '1' then
    local member = w[1] .. '.' .. nickname
    if not redis.call('ZSCORE', KEYS[2], member) then
      redis.call('ZADD', KEYS[3], 'NX', math.floor(tonumber(w[4] or '0') * 1000), member)
    end
  end
end
`)

function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += BATCH) yield items.slice(i, i + BATCH)
}
