import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import { NOW, type ScriptArg, script } from './script.js'

/** Who a run is: proven to every script that writes in the worker's name. */
export interface RunIdentity {
  type: string
  nickname: string
  /** Random id of the run. */
  token: string
}

export interface ClaimRequest extends RunIdentity {
  revision: number
  jobId: string
  /** BullMQ's token of the job's lock. */
  lockToken: string
  /** A tick keeps the epoch of the child that already holds the name. */
  mode: 'run' | 'tick'
  node: string
  pid: number
  heartbeatSeconds: number
  version: string
}

export type ClaimAnswer =
  | {
      claimed: true
      epoch: number
      params: Record<string, unknown>
      nowMs: number
      fresh: boolean
      /** Of a fresh tick: what its worker's ticks have met with so far, in children that are gone. */
      errors: number
      errorMsg: string
      /** Ticks of the epoch that were left out because the one before was at work. */
      skipped: number
      /** The worker has been `started` since it was commanded: its parameters were good for a version of its file. */
      proven: boolean
    }
  /** `lost`: the job's lock is someone else's by now. `unwanted`: stopped or commanded anew since. `busy`: the run before still holds the name. */
  | { claimed: false; why: 'lost' | 'unwanted' | 'busy'; node: string; pid: string }

/** Takes the next epoch of a worker, if the job is still held and the run before has ended or lost its lock. */
export async function claim(redis: Redis, names: Names, request: ClaimRequest): Promise<ClaimAnswer> {
  const { type, nickname } = request
  const lock = names.jobLock(type, request.jobId)
  const [verdict, a, b, nowMs, fresh, errors, errorMsg = '', skipped, proven] = await claimScript(
    redis,
    [names.worker(nickname), names.info(type, nickname), names.beats, names.ended, lock],
    [
      request.lockToken,
      request.revision,
      request.token,
      `${type}.${nickname}`,
      request.mode,
      dueAfterMs(request.heartbeatSeconds),
      request.node,
      request.pid,
      type,
      nickname,
      request.heartbeatSeconds,
      request.version,
    ],
  )
  if (verdict !== 'ok') return { claimed: false, why: verdict, node: a ?? '', pid: b ?? '' }
  const params = JSON.parse(b || '{}') as Record<string, unknown>
  return {
    ...{ claimed: true, epoch: Number(a), params, nowMs: Number(nowMs), fresh: fresh === '1' },
    errors: Number(errors),
    errorMsg,
    skipped: Number(skipped),
    proven: proven === '1',
  }
}

// An epoch is at least Redis's time in ms, so that it rises even over a Redis that lost its data. The errors of a repeatable
// worker outlive its child: one that has died at a tick would be forgotten with the next.
const claimScript = script<['ok' | 'lost' | 'unwanted' | 'busy', ...(string | undefined)[]]>(`${NOW}
local worker, info, beats, ended, lock = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local lockToken, revision, token, member, mode = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if redis.call('GET', lock) ~= lockToken then return {'lost'} end
local w = redis.call('HMGET', worker, 'wanted', 'revision', 'running', 'token', 'lock', 'lockToken', 'epoch', 'params', 'node', 'pid', 'proven')
if w[1] ~= '1' or w[2] ~= revision then return {'unwanted'} end
local same = w[4] == token
if w[3] == '1' and (w[5] ~= lock or not same) and w[5] and redis.call('GET', w[5]) == w[6] then
  return {'busy', w[9] or '', w[10] or ''}
end
local epoch = tonumber(w[7] or '0')
local fresh, errors, errorMsg = '0', '0', ''
if not (mode == 'tick' and same) then
  if mode == 'tick' then
    local was = redis.call('HMGET', info, 'revision', 'errors', 'error_msg', 'status')
    if was[1] == revision then
      errors = was[2] or '0'
      if was[4] ~= 'disappeared' then errorMsg = was[3] or '' end
    end
  end
  epoch = math.max(epoch + 1, now)
  fresh = '1'
  redis.call('DEL', info)
  redis.call('HSET', info, 'type', ARGV[9], 'nickname', ARGV[10], 'pid', ARGV[8], 'token', token, 'node', ARGV[7],
    'epoch', string.format('%.0f', epoch), 'heart_beat_interval', ARGV[11], 'status', 'init',
    'started_at', string.format('%.3f', now / 1000), 'version', ARGV[12], 'revision', revision,
    'published', '0', 'received', '0', 'errors', errors, 'error_msg', errorMsg)
end
redis.call('HSET', info, 'heart_beat', string.format('%.3f', now / 1000))
redis.call('HSET', worker, 'epoch', string.format('%.0f', epoch), 'token', token, 'node', ARGV[7], 'pid', ARGV[8],
  'lock', lock, 'lockToken', lockToken, 'running', '1', 'claimed_at', string.format('%.0f', now), 'run_revision', revision)
redis.call('HDEL', worker, 'next_start_at', 'ended_as')
redis.call('ZREM', ended, member)
redis.call('ZADD', beats, now + tonumber(ARGV[6]), member)
return {'ok', string.format('%.0f', epoch), w[8] or '{}', string.format('%.0f', now), fresh, errors, errorMsg,
  mode == 'tick' and redis.call('HGET', info, 'skipped') or '0', w[11] == revision and '1' or '0'}
`)

/** Notes with a worker that a run of its revision is `started`, where the run of this token still holds the name. */
export async function noteProven(redis: Redis, names: Names, nickname: string, token: string): Promise<void> {
  await provenScript(redis, [names.worker(nickname)], [token])
}

const provenScript = script<number>(`
local w = redis.call('HMGET', KEYS[1], 'token', 'run_revision')
if w[1] ~= ARGV[1] or not w[2] then return 0 end
return redis.call('HSET', KEYS[1], 'proven', w[2])
`)

/**
 * Refuses a run that does not hold the name: -1. Where Redis knows nothing of the worker at all, it has lost its data:
 * -2, and nobody holds the name until the nodes have put the fleet back.
 */
export const FENCE = `local holder = redis.call('HGET', KEYS[1], 'token')
if not holder then return -2 end
if holder ~= ARGV[1] then return -1 end
`
/** How long a run waits for its fleet to be put back, and how often it asks, ms. */
export const LOST_MS = 15_000
export const ASK_MS = 100

/** Repeats a fenced call while Redis knows nothing of the worker. Lost for good is answered like refused. */
export async function whileLost<Reply>(call: () => Promise<Reply>): Promise<Reply> {
  const until = performance.now() + LOST_MS
  for (;;) {
    const reply = await call()
    if ((reply as unknown) !== -2 || performance.now() > until) return reply
    await new Promise((resolve) => setTimeout(resolve, ASK_MS))
  }
}

/** A heartbeat is overdue one second after its interval. */
export const dueAfterMs = (heartbeatSeconds: number): number => Math.round(heartbeatSeconds * 1000) + 1000

/**
 * Writes a heartbeat: fields of the Info hash, the due time, and the same as JSON on the channel.
 * @returns false where a later run holds the name, or this one's end has been written: nothing was written, and it must end.
 */
export async function beat(
  redis: Redis,
  names: Names,
  run: RunIdentity,
  fields: Record<string, unknown>,
  dueMs: number,
): Promise<boolean> {
  const info = names.info(run.type, run.nickname)
  const flat: ScriptArg[] = []
  for (const [name, value] of Object.entries(fields)) flat.push(name, infoText(value))
  const json = JSON.stringify({ ...fields, type: run.type, nickname: run.nickname, token: run.token })
  const keys = [names.worker(run.nickname), info, names.beats]
  const args = [run.token, `${run.type}.${run.nickname}`, dueMs, json.slice(1), ...flat]
  return (await whileLost(() => beatScript(redis, keys, args))) === 1
}

// A run whose end has been written beats no more, or it would look alive again.
const beatScript = script<number>(`${NOW}
local w = redis.call('HMGET', KEYS[1], 'token', 'running', 'doubted')
if not w[1] then return -2 end
if w[1] ~= ARGV[1] or w[2] ~= '1' then return -1 end
local at = string.format('%.3f', now / 1000)
redis.call('HSET', KEYS[2], 'heart_beat', at, unpack(ARGV, 5))
if w[3] then
  redis.call('HDEL', KEYS[1], 'doubted')
  redis.call('HSET', KEYS[2], 'stop_info', '')
end
redis.call('ZADD', KEYS[3], now + tonumber(ARGV[3]), ARGV[2])
redis.call('PUBLISH', KEYS[2], '{"heart_beat":' .. at .. ',' .. ARGV[4])
return 1
`)

/** Info values are strings; nested ones are JSON. */
export function infoText(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

export type FinishHow = 'stopped' | 'restarted' | 'handover' | 'shutdown' | 'done' | 'refused' | 'crashed' | 'ticked'

export interface FinishRequest extends RunIdentity {
  how: FinishHow
  stopInfo: string
  /** Of a tick: what its child could not tell any more, having died at it; it is counted. */
  errorMsg: string
  /** Of a crash: when it may come back. `jitter` in [0, 1). */
  restart: { minDelayMs: number; maxDelayMs: number; healthyAfterMs: number; giveUpAfter: number | null }
  jitter: number
  /** Of a crash that was another's fault: it does not count as one in a row. */
  spared?: boolean
  /** Of a crash of many together: so much later. */
  spreadMs?: number
  /** Further Info fields of the last heartbeat. */
  fields: Record<string, unknown>
  /** Of a tick that ended well: when the scheduler's next one is overdue is read from this queue's schedulers. */
  schedulerId?: string
  graceMs?: number
}

export interface FinishAnswer {
  /** False where a later run holds the name, or another end was written before. */
  finished: boolean
  /** Crashes in a row, and ms until the restart. */
  crashes: number
  delayMs: number
  gaveUp: boolean
  /** A later command has been accepted: this end changes nothing of what that wants. */
  renewed: boolean
  /** Of a tick: Unix ms of the next one. */
  nextTickMs: number | null
}

/** Writes the end of a run (or of a tick): status, last heartbeat, and what follows. Written once. */
export async function finish(redis: Redis, names: Names, request: FinishRequest): Promise<FinishAnswer> {
  const { type, nickname, restart } = request
  const flat: ScriptArg[] = []
  for (const [name, value] of Object.entries(request.fields)) flat.push(name, infoText(value))
  const reply = await finishScript(
    redis,
    [
      names.worker(nickname),
      names.info(type, nickname),
      names.beats,
      names.ended,
      names.wanted,
      `${names.queuePrefix}:${type}:repeat`,
      names.wake,
      names.fleet,
    ],
    [
      request.token,
      `${type}.${nickname}`,
      request.how,
      request.stopInfo,
      request.errorMsg,
      restart.minDelayMs,
      restart.maxDelayMs,
      restart.healthyAfterMs,
      restart.giveUpAfter ?? 0,
      Math.floor(request.jitter * 1000),
      nickname,
      request.schedulerId ?? '',
      request.graceMs ?? 2000,
      type,
      request.spared ? 1 : 0,
      request.spreadMs ?? 0,
      ...flat,
    ],
  )
  const [finished, crashes, delayMs, gaveUp, nextTick, renewed] = reply.map(Number)
  return {
    finished: finished === 1,
    crashes: crashes ?? 0,
    delayMs: delayMs ?? 0,
    gaveUp: gaveUp === 1,
    renewed: renewed === 1,
    nextTickMs: nextTick || null,
  }
}

// The first restart is at once; the next waits minDelay, and each further one twice as long, up to maxDelay, less up to
// a quarter of jitter, so that workers that fell together do not rise together. A repeatable worker doesn't run between
// its ticks, but is `started`: it can be ended then, too. A run of an earlier revision than the worker's ends while a later
// command is accepted already: what that wants stands, and the crash is not its run's.
const finishScript = script<string[]>(`${NOW}
local worker, info, beats, ended, wanted, repeatKey, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local token, member, how, nickname = ARGV[1], ARGV[2], ARGV[3], ARGV[11]
local w = redis.call('HMGET', worker, 'token', 'running', 'crashes', 'claimed_at', 'wanted', 'revision', 'run_revision', 'type', 'ended_as')
local renewed = w[7] and w[6] ~= w[7]
local asked = how == 'stopped' or how == 'restarted' or how == 'handover'
local between = asked and w[1] == token and redis.call('HGET', info, 'status') == 'started'
if w[1] ~= token then return {'0', '0', '0', '0', '0', '0'} end
if w[2] ~= '1' and not between then
  local as, said = string.match(w[9] or '', '^(%a+) (.*)$')
  if as ~= how then return {'0', '0', '0', '0', '0', '0'} end
  local before = {'1'}
  for part in string.gmatch(said, '%S+') do before[#before + 1] = part end
  return before
end
-- sent again, because the connection broke before the answer, it is answered as the first time
local function answer(...)
  redis.call('HSET', worker, 'ended_as', how .. ' ' .. table.concat({...}, ' '))
  return {'1', ...}
end
local at = string.format('%.3f', now / 1000)
redis.call('HSET', worker, 'running', '0')
redis.call('HSET', info, 'heart_beat', at, unpack(ARGV, 17))
if how == 'ticked' then
  redis.call('HSET', worker, 'crashes', '0')
  local nextTick = tonumber(redis.call('ZSCORE', repeatKey, ARGV[12]) or '0')
  if nextTick < now then nextTick = now end
  redis.call('HSET', info, 'status', 'started', 'next_tick', string.format('%.3f', nextTick / 1000))
  redis.call('ZADD', beats, nextTick + tonumber(ARGV[13]), member)
  local told = {heart_beat = now / 1000, type = ARGV[14], nickname = nickname, token = token, status = 'started', next_tick = nextTick / 1000}
  if ARGV[5] ~= '' then
    redis.call('HSET', info, 'error_msg', ARGV[5])
    told.error_msg, told.errors = ARGV[5], redis.call('HINCRBY', info, 'errors', 1)
  end
  redis.call('PUBLISH', info, cjson.encode(told))
  return answer('0', '0', '0', string.format('%.0f', nextTick), renewed and '1' or '0')
end
redis.call('ZREM', beats, member)
redis.call('ZADD', ended, now, member)
local status, crashes, delay, gaveUp = 'terminated', 0, 0, '0'
if renewed and how ~= 'shutdown' then
  -- a start of another type has an Info hash of its own
  if w[5] == '1' and w[8] == ARGV[14] then status = 'restarting' end
elseif how == 'crashed' then
  crashes = tonumber(w[3] or '0') + (ARGV[15] == '1' and 0 or 1)
  if crashes > 0 and now - tonumber(w[4] or now) > tonumber(ARGV[8]) then crashes = 1 end
  if crashes > 1 then delay = math.min(tonumber(ARGV[7]), tonumber(ARGV[6]) * 2 ^ math.min(crashes - 2, 30)) end
  if ARGV[15] == '1' then delay = 0 end
  delay = math.floor(delay * (1 - tonumber(ARGV[10]) / 4000)) + tonumber(ARGV[16])
  redis.call('HSET', worker, 'crashes', string.format('%.0f', crashes))
  redis.call('HINCRBY', worker, 'restarts', 1)
  redis.call('HSET', worker, 'last_error', ARGV[5])
  status = 'restarting'
  if tonumber(ARGV[9]) > 0 and crashes >= tonumber(ARGV[9]) and ARGV[15] == '0' then
    status, gaveUp = 'failed', '1'
  elseif w[5] == '1' then
    redis.call('HSET', worker, 'next_start_at', string.format('%.3f', (now + delay) / 1000))
  else
    status = 'terminated'
  end
elseif how == 'refused' then
  status = 'failed'
elseif how == 'handover' or how == 'restarted' then -- a shutdown hands nothing over
  if w[5] == '1' then status = 'restarting' end
end
if not renewed and (status == 'failed' or how == 'done') then
  redis.call('HSET', worker, 'wanted', '0')
  redis.call('SREM', wanted, nickname)
  redis.call('HINCRBY', KEYS[8], 'version', 1)
end
redis.call('HSET', info, 'status', status, 'stop_info', ARGV[4], 'stop_time', at)
if ARGV[5] ~= '' then redis.call('HSET', info, 'error_msg', ARGV[5]) end
redis.call('PUBLISH', info, cjson.encode({heart_beat = now / 1000, type = ARGV[14], nickname = nickname, token = token, status = status, stop_info = ARGV[4], error_msg = ARGV[5]}))
redis.call('PUBLISH', wake, cjson.encode({what = 'ended', type = ARGV[14], nickname = nickname}))
return answer(string.format('%.0f', crashes), string.format('%.0f', delay), gaveUp, '0', renewed and '1' or '0')
`)

/** Counts a tick that came while the one before was still at work. */
export async function noteSkipped(redis: Redis, names: Names, type: string, nickname: string): Promise<void> {
  await redis.hincrby(names.info(type, nickname), 'skipped', 1)
}
