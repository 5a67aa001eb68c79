import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import { OUTBOX_LENGTH } from './record-scripts.js'
import { NOW, type ScriptArg, script } from './script.js'

export interface Member {
  type: string
  nickname: string
}

export interface Overdue {
  /** Redis's clock, Unix ms. */
  nowMs: number
  /** Runs that are due to beat, overdue ones included. */
  expected: number
  /** Changes when a command was drawn, or a run began or ended. */
  mark: string
  members: (Member & { dueMs: number })[]
}

/** The runs whose heartbeat is overdue by Redis's clock, the longest overdue first; at most `limit`. */
export async function readOverdue(redis: Redis, names: Names, limit: number): Promise<Overdue> {
  const [nowMs, expected, ended, revision, flat] = await overdueScript(
    redis,
    [names.beats, names.ended, names.revision],
    [limit],
  )
  const members: Overdue['members'] = []
  for (let i = 0; i < flat.length; i += 2) members.push({ ...memberOf(flat[i] ?? ''), dueMs: Number(flat[i + 1]) })
  return { nowMs: Number(nowMs), expected, mark: `${expected} ${ended} ${revision}`, members }
}

const overdueScript = script<[string, number, number, string, string[]]>(`${NOW}
return {string.format('%.0f', now), redis.call('ZCARD', KEYS[1]), redis.call('ZCARD', KEYS[2]),
  redis.call('GET', KEYS[3]) or '', redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', 0, ARGV[1])}
`)

/** `<Type>.<nickname>`: neither has a dot. */
export function memberOf(member: string): Member {
  const dot = member.indexOf('.')
  return { type: member.slice(0, dot), nickname: member.slice(dot + 1) }
}

/** What is told of one run: by its Info hash, and by the worker hash of its nickname. */
export interface RunState {
  wanted: boolean
  /** The worker's current run is this one's type and has not ended. Of a repeatable: a tick is under way. */
  running: boolean
  /** Its node still renews the lock of its job. */
  lockHeld: boolean
  repeatable: boolean
  epoch: number
  node: string
  /** Empty where there is no Info hash. */
  status: string
  heartBeatMs: number | null
  intervalMs: number
}

/** Reads the state of some runs in one step. */
export async function readRunStates(redis: Redis, names: Names, members: readonly Member[]): Promise<RunState[]> {
  const keys = members.flatMap(({ type, nickname }) => [names.worker(nickname), names.info(type, nickname)])
  const rows = await statesScript(
    redis,
    keys,
    members.map(({ type }) => type),
  )
  return rows.map(([wanted, running, kind, epoch, node, status, beat, interval, held]) => ({
    wanted: wanted === '1',
    running: running === '1',
    lockHeld: held === '1',
    repeatable: kind === 'repeatable',
    epoch: Number(epoch || 0),
    node: node ?? '',
    status: status ?? '',
    heartBeatMs: beat ? Math.round(Number(beat) * 1000) : null,
    intervalMs: Math.round(Number(interval || 1) * 1000),
  }))
}

const statesScript = script<string[][]>(`
local rows = {}
for i = 1, #ARGV do
  local w = redis.call('HMGET', KEYS[2 * i - 1], 'wanted', 'running', 'kind', 'lock', 'lockToken', 'type')
  local f = redis.call('HMGET', KEYS[2 * i], 'epoch', 'node', 'status', 'heart_beat', 'heart_beat_interval')
  -- the nickname may be another type's by now
  if w[6] ~= ARGV[i] then w = {} end
  local held = w[4] and w[5] and redis.call('GET', w[4]) == w[5]
  rows[i] = {w[1] or '0', w[2] or '0', w[3] or '', f[1] or '', f[2] or '', f[3] or '', f[4] or '', f[5] or '',
    held and '1' or '0'}
end
return rows
`)

export interface Sentence extends Member {
  /** As it was when judged: a run that has beaten since is left alone. */
  dueMs: number
  /**
   * `disappeared`: said so in Info, told and recorded, and looked at again. `wedged`: its node is told to end it, and it is looked at
   * again. `gone`: no more expected to beat. `stray`: not expected to beat at all; a status that says otherwise becomes `settleAs`.
   */
  act: 'disappeared' | 'wedged' | 'gone' | 'stray'
  settleAs: 'restarting' | 'terminated'
  epoch: number
  /** When it is looked at again, ms from now. */
  againMs: number
  /** Of a disappeared one. */
  message: string
  event: Record<string, unknown>
}

/** Carries out what was judged of one run, unless it has beaten since. @returns whether it was done */
export async function carryOut(redis: Redis, names: Names, sentence: Sentence): Promise<boolean> {
  const { type, nickname, dueMs, act, epoch, againMs, message, event, settleAs } = sentence
  const reply = await sentenceScript(
    redis,
    [
      names.info(type, nickname),
      names.beats,
      names.ended,
      names.wake,
      names.outbox,
      names.eventsChannel,
      names.worker(nickname),
    ],
    [
      `${type}.${nickname}`,
      dueMs,
      act,
      againMs,
      message,
      JSON.stringify(event),
      OUTBOX_LENGTH,
      type,
      nickname,
      epoch,
      settleAs,
    ] satisfies ScriptArg[],
  )
  return reply === 1
}

/** Puts an event (JSON in `text`) on its way to the event store, with Redis's time, and tells it. */
const RECORD = `local function record(outbox, channel, text, length)
  local tail = ',"time":' .. string.format('%.0f', now) .. ',' .. string.sub(text, 2)
  local id = redis.call('XADD', outbox, 'MAXLEN', '~', length, '*', 'e', '{' .. string.sub(tail, 2))
  redis.call('PUBLISH', channel, '{"id":"' .. id .. '"' .. tail)
end
`

const sentenceScript = script<number>(`${NOW}${RECORD}
local info, beats, ended, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local member, act, message = ARGV[1], ARGV[3], ARGV[5]
local due = redis.call('ZSCORE', beats, member)
if not due or tonumber(due) ~= tonumber(ARGV[2]) then return 0 end
if act == 'disappeared' then
  local was = redis.call('HMGET', info, 'status', 'heart_beat', 'token')
  if was[1] ~= 'started' and was[1] ~= 'init' then return 0 end
  redis.call('HSET', info, 'status', 'disappeared', 'error_msg', message, 'stop_info', message)
  -- should it beat again after all, all of Info is to be written anew (beat, beatMany)
  if redis.call('EXISTS', KEYS[7]) == 1 then redis.call('HSET', KEYS[7], 'doubted', '1') end
  redis.call('PUBLISH', info, cjson.encode({heart_beat = tonumber(was[2] or '0'), type = ARGV[8], nickname = ARGV[9],
    token = was[3] or '', status = 'disappeared', error_msg = message, stop_info = message}))
  record(KEYS[5], KEYS[6], ARGV[6], ARGV[7])
elseif act == 'wedged' then
  redis.call('PUBLISH', wake, cjson.encode({what = 'wedged', type = ARGV[8], nickname = ARGV[9], epoch = tonumber(ARGV[10])}))
end
if act == 'disappeared' or act == 'wedged' then
  redis.call('ZADD', beats, now + tonumber(ARGV[4]), member)
else
  redis.call('ZREM', beats, member)
  local status = redis.call('HGET', info, 'status')
  if act == 'stray' and (status == 'started' or status == 'init') then redis.call('HSET', info, 'status', ARGV[11]) end
  if status then redis.call('ZADD', ended, 'NX', now, member) end
end
return 1
`)
