import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import { FENCE, type RunIdentity, whileLost } from './run-scripts.js'
import { NOW, script } from './script.js'

/** Entries that the outbox holds at most, about: what the event store can be behind before the oldest are dropped. */
export const OUTBOX_LENGTH = 100_000

/**
 * Puts events on their way to the event store, in order and in one step, only while the run holds the name.
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
  return (await whileLost(() => recordScript(redis, keys, [run.token, OUTBOX_LENGTH, ...events]))) === 1
}

const recordScript = script<number>(`${NOW}${FENCE}local call, sub = redis.call, string.sub
local outbox, channel, length = KEYS[2], KEYS[3], ARGV[2]
local head = '"time":' .. string.format('%.0f', now) .. ','
for i = 3, #ARGV do
  local rest = head .. sub(ARGV[i], 2)
  local id = call('XADD', outbox, 'MAXLEN', '~', length, '*', 'e', '{' .. rest)
  call('PUBLISH', channel, '{"id":"' .. id .. '",' .. rest)
end
return 1
`)
