import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import { FENCE, type RunIdentity, whileLost } from './run-scripts.js'
import { NOW, script } from './script.js'

/** Entries that the outbox holds at most, about: what the event store can be behind before the oldest are dropped. */
export const OUTBOX_LENGTH = 100_000

/** Of the calls of this process. */
let calls = 0

/**
 * Puts events on their way to the event store, in order and in one step, only while the run holds the name. A call that is
 * sent again, since its answer got lost with the connection, records nothing more. One is under way at a time.
 * @param events JSON of each, an object
 * @returns false where the run does not hold the name: then none was recorded
 */
export async function recordFenced(
  redis: Redis,
  names: Names,
  run: RunIdentity,
  events: readonly string[],
): Promise<boolean> {
  const keys = [names.worker(run.nickname), names.outbox, names.eventsChannel]
  const args = [run.token, `${run.token} ${++calls}`, OUTBOX_LENGTH, ...events]
  return (await whileLost(() => recordScript(redis, keys, args))) === 1
}

const recordScript = script<number>(`${NOW}${FENCE}local call, sub = redis.call, string.sub
local outbox, channel, length = KEYS[2], KEYS[3], ARGV[3]
local w = call('HMGET', KEYS[1], 'running', 'kind', 'recorded')
if w[1] == '0' and (w[2] or 'repeatable') ~= 'repeatable' then return -1 end
if w[3] == ARGV[2] then return 1 end
call('HSET', KEYS[1], 'recorded', ARGV[2])
local head = '"time":' .. string.format('%.0f', now) .. ','
for i = 4, #ARGV do
  local rest = head .. sub(ARGV[i], 2)
  local id = call('XADD', outbox, 'MAXLEN', '~', length, '*', 'e', '{' .. rest)
  call('PUBLISH', channel, '{"id":"' .. id .. '",' .. rest)
end
return 1
`)
