import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import { NOW, script } from './script.js'

/**
 * Draws the next revision, larger than any before and at least Redis's time in ms (so also over a Redis that lost its
 * data), and notes it as under way for the nickname (unless that is empty) until `deadlineMs` from now.
 */
export async function drawRevision(
  redis: Redis,
  names: Names,
  nickname: string,
  deadlineMs: number,
): Promise<{ revision: number; nowMs: number }> {
  const [revision, nowMs] = await drawScript(redis, [names.revision, names.pending(nickname)], [deadlineMs, nickname])
  return { revision: Number(revision), nowMs: Number(nowMs) }
}

/** Draws a revision in Lua, where `now` is Redis's clock: the text of the number. Until it is seen, others of the nickname wait. */
export const DRAW = `
local function draw(revisionKey, pendingKey, nickname, deadlineMs)
  local text = string.format('%.0f', math.max(tonumber(redis.call('GET', revisionKey) or '0') + 1, now))
  redis.call('SET', revisionKey, text)
  if nickname == '' then return text end
  redis.call('ZREMRANGEBYSCORE', pendingKey, '-inf', now)
  redis.call('ZADD', pendingKey, now + deadlineMs, text)
  redis.call('PEXPIRE', pendingKey, math.max(deadlineMs, 60000))
  return text
end
`

const drawScript = script<[string, string]>(`${NOW}${DRAW}
return {draw(KEYS[1], KEYS[2], ARGV[2], tonumber(ARGV[1])), string.format('%.0f', now)}
`)

/** A command that will not come: others need not wait for it. */
export async function withdrawRevision(redis: Redis, names: Names, nickname: string, revision: number): Promise<void> {
  await redis.zrem(names.pending(nickname), revision)
}

export interface AdmitRequest {
  op: 'start' | 'stop' | 'restart'
  nickname: string
  revision: number
  /** Of a start. */
  type: string
  /** JSON; of a restart, the empty string keeps what was. */
  params: string
  by: string
  system: boolean
  kind: string
  isolation: string
  /** Whether to answer `wait` while an earlier command for the same nickname is still under way. */
  patient: boolean
  /** Redis ms after which it is refused. */
  deadline?: number | undefined
  /** Of a start: whether workers of another HySAS have been looked through for the name. */
  foreignSeen?: boolean
}

export type AdmitVerdict =
  /** It takes effect now. */
  | 'admitted'
  /** The same command was admitted before: the same answer. */
  | 'again'
  /** A stop of what is stopped already. */
  | 'unchanged'
  /** Refused: a later command has been accepted. */
  | 'superseded'
  /** Refused: the name is taken. */
  | 'taken'
  /** Refused: no such worker, or (restart) it is stopped. */
  | 'unknown'
  | 'stopped'
  /** Refused: belongs to the system. */
  | 'protected'
  /** An earlier command has not been seen yet: ask again shortly. */
  | 'wait'
  /** Workers of another HySAS beat on the same Redis: see that the name is none of theirs, then ask again. */
  | 'foreign'
  /** Refused: its deadline is over. */
  | 'expired'

export interface Admission {
  verdict: AdmitVerdict
  /** Of the worker as it stands. */
  type: string
  node: string
  pid: string
  status: string
  /** Of the run before, so that its job can be ended. */
  previousRevision: number
  kind: string
  /** Of one that has expired: by how much, ms. */
  lateMs: number
}

/** Decides on one command, by revision: the order of revisions is the order of effects, however many desks work at once. */
export async function admit(redis: Redis, names: Names, request: AdmitRequest): Promise<Admission> {
  const { nickname } = request
  const [verdict, type = '', node = '', pid = '', previous = '0', kind = '', running = '0', late = '0'] =
    await admitScript(
      redis,
      [
        names.worker(nickname),
        names.workers,
        names.wanted,
        names.pending(nickname),
        names.wake,
        names.fleet,
        names.foreign,
      ],
      [
        request.op,
        nickname,
        request.revision,
        request.type,
        request.params,
        request.by,
        request.system ? '1' : '0',
        request.kind,
        request.isolation,
        request.patient ? '1' : '0',
        TOMBSTONE_MS,
        request.deadline ?? 0,
        request.foreignSeen ? '1' : '0',
      ],
    )
  const status = running === '1' ? 'running' : 'waiting'
  return { verdict, type, node, pid, status, previousRevision: Number(previous), kind, lateMs: Number(late) }
}

/** A stop of a worker that never was is remembered so long, so that its start, if it comes later, is superseded. */
const TOMBSTONE_MS = 3_600_000

// A refused command leaves nothing behind, so that the last accepted one counts. Where an earlier command is still on
// its way and would change the verdict, the asker is told to wait for it.
const admitScript = script<[AdmitVerdict, string?, string?, string?, string?, string?, string?, string?]>(`${NOW}
local deadline = tonumber(ARGV[12])
if deadline > 0 and now > deadline then
  redis.call('ZREM', KEYS[4], ARGV[3])
  return {'expired', '', '', '', '0', '', '0', string.format('%.0f', now - deadline)}
end
if ARGV[1] == 'start' and ARGV[13] == '0' and redis.call('EXISTS', KEYS[7]) == 1 then return {'foreign'} end
local worker, workers, wanted, pending, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local op, nickname, revision, patient = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[10] == '1'
local w = redis.call('HMGET', worker, 'revision', 'wanted', 'type', 'node', 'pid', 'system', 'kind', 'running')
local last, isWanted = tonumber(w[1] or '0'), w[2] == '1'
local function answer(verdict)
  return {verdict, w[3] or '', w[4] or '', w[5] or '', w[1] or '0', w[7] or '', w[8] or '0'}
end
local function refuse(verdict)
  if patient then
    for _, other in ipairs(redis.call('ZRANGEBYSCORE', pending, now, '+inf')) do
      if tonumber(other) < revision then return answer('wait') end
    end
  end
  redis.call('ZREM', pending, ARGV[3])
  return answer(verdict)
end
if revision < last then
  redis.call('ZREM', pending, ARGV[3])
  return answer(op == 'start' and isWanted and 'taken' or 'superseded')
end
if revision == last then redis.call('ZREM', pending, ARGV[3]) return answer('again') end
if op == 'start' then
  if isWanted then return refuse('taken') end
  -- a stopped run of another type may still be ending: its Info is its own, the name is one
  redis.call('HSET', worker, 'type', ARGV[4], 'nickname', nickname, 'params', ARGV[5], 'system', ARGV[7],
    'kind', ARGV[8], 'isolation', ARGV[9], 'wanted', '1', 'crashes', '0', 'restarts', '0')
  redis.call('HDEL', worker, 'next_start_at', 'never', 'own')
  redis.call('PERSIST', worker)
  redis.call('SADD', workers, nickname)
  redis.call('SADD', wanted, nickname)
elseif op == 'stop' then
  if w[6] == '1' then return refuse('protected') end
  if not isWanted then
    if w[1] and not redis.call('HGET', worker, 'never') then
      redis.call('HSET', worker, 'revision', ARGV[3])
      redis.call('ZREM', pending, ARGV[3])
      return answer('unchanged')
    end
    local verdict = refuse('unknown')
    if verdict[1] == 'unknown' and not patient then
      redis.call('HSET', worker, 'revision', ARGV[3], 'wanted', '0', 'nickname', nickname, 'never', '1')
      redis.call('PEXPIRE', worker, ARGV[11])
      verdict[1] = 'unchanged'
    end
    return verdict
  end
  redis.call('HSET', worker, 'wanted', '0')
  redis.call('HDEL', worker, 'next_start_at')
  redis.call('SREM', wanted, nickname)
else
  if not w[1] or redis.call('HGET', worker, 'never') then return refuse('unknown') end
  if not isWanted then return refuse('stopped') end
  if ARGV[5] ~= '' then redis.call('HSET', worker, 'params', ARGV[5]) end
  if ARGV[8] ~= '' then redis.call('HSET', worker, 'kind', ARGV[8], 'isolation', ARGV[9]) end
  redis.call('HSET', worker, 'crashes', '0', 'restarts', '0')
end
redis.call('HSET', worker, 'revision', ARGV[3], 'by', ARGV[6], 'since', string.format('%.3f', now / 1000))
local version = redis.call('HINCRBY', KEYS[6], 'version', 1)
redis.call('ZREM', pending, ARGV[3])
local type = op == 'start' and ARGV[4] or w[3]
redis.call('PUBLISH', wake, cjson.encode({what = op, type = type, nickname = nickname, version = version}))
local verdict = answer('admitted')
if op == 'start' then verdict[2] = ARGV[4] verdict[6] = ARGV[8] end
return verdict
`)

/**
 * Writes the end of a stopped worker that has no run which could write it: one that waited for its restart or its next
 * tick, or whose node died. @returns true where the worker has ended by now
 */
export async function settleStopped(redis: Redis, names: Names, type: string, nickname: string): Promise<boolean> {
  const keys = [names.worker(nickname), names.info(type, nickname), names.beats, names.ended]
  return (await settleScript(redis, keys, [`${type}.${nickname}`])) === 1
}

// Where it still had a name, its process may be alive, though its lock has ended (its node was stopped, or froze): nobody has
// the empty token, so what it publishes or records is refused, and not taken for that of a worker which Redis has lost.
const settleScript = script<number>(`${NOW}
local w = redis.call('HMGET', KEYS[1], 'wanted', 'running', 'lock', 'lockToken')
if w[1] ~= '0' then return 0 end
if w[2] == '1' and w[3] and redis.call('GET', w[3]) == w[4] then return 0 end
local status = redis.call('HGET', KEYS[2], 'status')
local isOver = not status or status == 'failed' or status == 'terminated'
if w[2] == '1' or not isOver then redis.call('HSET', KEYS[1], 'token', '') end
redis.call('HSET', KEYS[1], 'running', '0')
redis.call('ZREM', KEYS[3], ARGV[1])
if not isOver then
  local at = string.format('%.3f', now / 1000)
  redis.call('HSET', KEYS[2], 'status', 'terminated', 'stop_info', 'stopped by command', 'stop_time', at)
  redis.call('ZADD', KEYS[4], now, ARGV[1])
end
return 1
`)

/** Writes that a repeatable worker rests, its child having ended with its node; unless it has been claimed since. */
export async function restRepeatable(
  redis: Redis,
  names: Names,
  run: { type: string; nickname: string; token: string },
  stopInfo: string,
): Promise<void> {
  const keys = [names.worker(run.nickname), names.info(run.type, run.nickname), names.beats]
  await restScript(redis, keys, [run.token, `${run.type}.${run.nickname}`, stopInfo])
}

const restScript = script<number>(`${NOW}
local w = redis.call('HMGET', KEYS[1], 'token', 'running')
if w[1] ~= ARGV[1] or w[2] == '1' then return 0 end
redis.call('ZREM', KEYS[3], ARGV[2])
redis.call('HSET', KEYS[2], 'status', 'terminated', 'stop_info', ARGV[3], 'stop_time', string.format('%.3f', now / 1000))
return 1
`)

/** After so long, every node has heard a message that one of them has heard, ms. */
const RAW_HEARD_MS = 5000

/**
 * Counts a raw command message that this node heard. @returns true for exactly one of the nodes that hear the same
 * message, however many do; a second equal message is true once more.
 */
export async function countRaw(redis: Redis, names: Names, hash: string, node: string): Promise<boolean> {
  return (await countRawScript(redis, [names.rawSeen(hash)], [node])) === 1
}

// A node that came up, or was cut off, has heard fewer of them than the others: it counts from where they are. What is heard
// when all have long heard the last one is a new one, also where those that heard that are gone.
const countRawScript = script<number>(`${NOW}
local field = 'n:' .. ARGV[1]
local seen = redis.call('HMGET', KEYS[1], field, 'most', 'at')
local most, at = tonumber(seen[2] or '0'), tonumber(seen[3] or '0')
local mine = seen[1] and tonumber(seen[1]) + 1 or math.max(1, most)
if mine <= most and now - at > ${RAW_HEARD_MS} then mine = most + 1 end
redis.call('HSET', KEYS[1], field, mine)
redis.call('EXPIRE', KEYS[1], 60)
if mine <= most then return 0 end
redis.call('HSET', KEYS[1], 'most', mine, 'at', string.format('%.0f', now))
return 1
`)

/** How long a node counts as up after its last beat, ms. */
export const NODE_TTL_MS = 3000
/** How long a node that is gone without a word is remembered, ms. */
const NODE_KEPT_MS = 3_600_000

/** Writes a node's entry and its time. @returns Redis's time in ms, or undefined where another process has the name. */
export async function beatNode(
  redis: Redis,
  names: Names,
  name: string,
  token: string,
  fields: Record<string, string | number>,
): Promise<number | undefined> {
  const reply = await beatNodeScript(
    redis,
    [names.nodes, names.node(name)],
    [name, token, NODE_TTL_MS, ...Object.entries(fields).flat()],
  )
  return reply === '' ? undefined : Number(reply)
}

const beatNodeScript = script<string>(`${NOW}
local holder = redis.call('HGET', KEYS[2], 'token')
local due = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0')
if holder and holder ~= ARGV[2] and due > now then return '' end
redis.call('HSET', KEYS[2], 'token', ARGV[2], 'heart_beat', string.format('%.3f', now / 1000), unpack(ARGV, 4))
redis.call('PEXPIRE', KEYS[2], ${NODE_KEPT_MS})
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ${NODE_KEPT_MS})
return string.format('%.0f', now)
`)

/** Removes a node's entry, if it is still this process's. */
export async function removeNode(redis: Redis, names: Names, name: string, token: string): Promise<void> {
  await removeNodeScript(redis, [names.nodes, names.node(name), names.wake], [name, token])
}

const removeNodeScript = script<number>(`
if redis.call('HGET', KEYS[2], 'token') ~= ARGV[2] then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
redis.call('PUBLISH', KEYS[3], cjson.encode({what = 'node', node = ARGV[1]}))
return 1
`)

/** Redis's own clock, Unix ms. */
export async function redisNowMs(redis: Redis): Promise<number> {
  const [seconds, micros] = await redis.time()
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
}
