import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import type { RunIdentity } from './run-scripts.js'
import { NOW, type ScriptArg, script } from './script.js'

/** One of many heartbeats that are written together. */
export interface Beat {
  run: RunIdentity
  dueMs: number
  /** What is published, as JSON without its first brace: `heart_beat` comes before it. */
  json: string
  /** Names and texts of the Info fields that have changed. */
  changed: readonly string[]
}

/**
 * Writes many heartbeats in one step, each as `beat` does.
 * @returns for each 1: written; 2: written, but the Info hash was not there, so all fields are wanted; -1: a later run holds
 * the name, or this one's end has been written; -2: Redis knows nothing of the worker, having lost its data
 */
export async function beatMany(redis: Redis, names: Names, beats: readonly Beat[]): Promise<number[]> {
  const keys: string[] = [names.beats]
  const args: ScriptArg[] = []
  for (const { run, dueMs, json, changed } of beats) {
    keys.push(names.worker(run.nickname), names.info(run.type, run.nickname))
    args.push(run.token, `${run.type}.${run.nickname}`, dueMs, json, changed.length, ...changed)
  }
  return beatManyScript(redis, keys, args)
}

const beatManyScript = script<number[]>(`${NOW}
local at = string.format('%.3f', now / 1000)
local head, replies, a = '{"heart_beat":' .. at .. ',', {}, 1
for i = 2, #KEYS, 2 do
  local worker, info, count = KEYS[i], KEYS[i + 1], tonumber(ARGV[a + 4])
  local w = redis.call('HMGET', worker, 'token', 'running')
  local reply = 1
  if not w[1] then
    reply = -2
  elseif w[1] ~= ARGV[a] or w[2] ~= '1' then
    reply = -1
  else
    if redis.call('HSET', info, 'heart_beat', at) == 1 then reply = 2 end
    if count > 0 then redis.call('HSET', info, unpack(ARGV, a + 5, a + 4 + count)) end
    redis.call('ZADD', KEYS[1], now + tonumber(ARGV[a + 2]), ARGV[a + 1])
    redis.call('PUBLISH', info, head .. ARGV[a + 3])
  end
  replies[#replies + 1] = reply
  a = a + 5 + count
end
return replies
`)
