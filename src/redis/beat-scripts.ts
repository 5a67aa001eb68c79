import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import { NOW, type ScriptArg, script } from './script.js'

/** One of many heartbeats that are written together. */
export interface Beat {
  /** Of the worker's hash and of its Info hash. */
  keys: readonly [worker: string, info: string]
  /** `<Type>.<nickname>`. */
  name: string
  /** The run's. */
  token: string
  dueMs: number
  /** What is published, as JSON without its first brace: `heart_beat` comes before it. */
  json: string
  /** Names and texts of the Info fields that have changed. */
  changed: readonly string[]
}

/**
 * Writes many heartbeats in one step, each as `beat` does.
 * @returns for each 1: written; 2: written, but the Info hash was not there, or called it disappeared, so all fields are wanted; -1: a later run holds
 * the name, or this one's end has been written; -2: Redis knows nothing of the worker, having lost its data
 */
export async function beatMany(redis: Redis, names: Names, beats: readonly Beat[]): Promise<number[]> {
  const keys: string[] = [names.beats]
  const lines: (string | number)[] = []
  const args: ScriptArg[] = []
  for (const { keys: own, name, token, dueMs, json, changed } of beats) {
    keys.push(own[0], own[1])
    lines.push(token, name, dueMs, changed.length, json) // none has a line feed
    if (changed.length) args.push(...changed)
  }
  // joined they are one text in memory; as arguments they would be thousands, and slow to write
  return beatManyScript(redis, keys, [lines.join('\n'), ...args])
}

const beatManyScript = script<number[]>(`${NOW}
local at = string.format('%.3f', now / 1000)
local head, replies, a = '{"heart_beat":' .. at .. ',', {}, 2
local text, place = ARGV[1], 1
local function line()
  local stop = string.find(text, '\\n', place, true)
  local one = string.sub(text, place, (stop or 0) - 1)
  place = (stop or #text) + 1
  return one
end
for i = 2, #KEYS, 2 do
  local worker, info = KEYS[i], KEYS[i + 1]
  local token, name, due, count, json = line(), line(), tonumber(line()), tonumber(line()), line()
  local w = redis.call('HMGET', worker, 'token', 'running', 'doubted')
  local reply = 1
  if not w[1] then
    reply = -2
  elseif w[1] ~= token or w[2] ~= '1' then
    reply = -1
  else
    if redis.call('HSET', info, 'heart_beat', at) == 1 then reply = 2 end
    if w[3] then
      redis.call('HDEL', worker, 'doubted')
      redis.call('HSET', info, 'stop_info', '')
      reply = 2
    end
    if count > 0 then redis.call('HSET', info, unpack(ARGV, a, a + count - 1)) end
    redis.call('ZADD', KEYS[1], now + due, name)
    redis.call('PUBLISH', info, head .. json)
  end
  replies[#replies + 1] = reply
  a = a + count
end
return replies
`)
