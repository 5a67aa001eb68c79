import type { Redis } from 'ioredis'
import { COUNT_PUBLISHED, OTHER_CHANNELS } from './loss-scripts.js'
import type { Names } from './names.js'
import type { RunIdentity } from './run-scripts.js'
import { type ScriptArg, script } from './script.js'

/** Messages of one channel that follow each other. */
export interface Stretch {
  channel: string
  /** How many messages they are: a frame is one payload of many. */
  count: number
  /** As they go to Redis. */
  payloads: readonly (string | Buffer)[]
  /** None of them has a line feed in it: they travel to Redis as the lines of one text, which costs both sides less. */
  asLines: boolean
}

/**
 * `published`: how many subscribers got the messages of each stretch. `before its time`: the batch before it is missing.
 * `repeated`: it was published before, and the answer got lost. `lost`: Redis knows nothing of the worker, whose fleet is
 * being put back. `stale`: a later run holds the name, or this one's end has been written.
 */
export type PublishAnswer = { published: number[] } | 'before its time' | 'repeated' | 'lost' | 'stale'

/**
 * Publishes the messages of one batch in order, in one step, only while the run holds the name; and counts them by
 * channel. Several batches may be under way: Redis takes each of them once, and each only after the one before, or where
 * nothing before it is wanting an answer.
 * @param batch.series id of who numbers the batches
 * @param batch.n number of the batch, from 1
 * @param batch.oldest number of the oldest batch without an answer
 * @param most how many channels are counted that are not workers' own
 */
export async function publishFenced(
  redis: Redis,
  names: Names,
  run: RunIdentity,
  batch: { series: string; n: number; oldest: number; stretches: readonly Stretch[] },
  most = OTHER_CHANNELS,
): Promise<PublishAnswer> {
  const args: ScriptArg[] = [run.token, batch.series, batch.n, batch.oldest, names.pub(run.type, run.nickname), most]
  for (const { channel, count, payloads, asLines } of batch.stretches) {
    if (asLines && payloads.length > 1) args.push(channel, count, -payloads.length, payloads.join('\n'))
    else {
      args.push(channel, count, payloads.length)
      for (const payload of payloads) args.push(payload)
    }
  }
  const keys = [names.worker(run.nickname), names.published, names.channels]
  const reply = await publishScript(redis, keys, args)
  return typeof reply === 'number' ? (REFUSALS[reply] ?? 'stale') : { published: reply }
}

const REFUSALS: Record<number, PublishAnswer> = { [-2]: 'lost', [-3]: 'before its time', [-4]: 'repeated' }

// Counted first: a Redis that can not write refuses that, and then nothing has been published either. A Redis that lost
// its last second may know an older number: it takes the oldest without an answer all the same.
const publishScript = script<number[] | number>(`${COUNT_PUBLISHED}
local series, n, oldest = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local w = redis.call('HMGET', KEYS[1], 'token', 'batch', 'running', 'kind')
if not w[1] then return -2 end
if w[1] ~= ARGV[1] or (w[3] == '0' and (w[4] or 'repeatable') ~= 'repeatable') then return -1 end
local of, last = string.match(w[2] or '', '^(%S+) (%d+)$')
last = of == series and tonumber(last) or 0
if n <= last then return -4 end
if n ~= last + 1 and n ~= oldest then return -3 end
redis.call('HSET', KEYS[1], 'batch', series .. ' ' .. ARGV[3])
local i, most = 7, #ARGV
while i <= most do
  countPublished(KEYS[2], KEYS[3], ARGV[i], tonumber(ARGV[i + 1]), ARGV[5], tonumber(ARGV[6]))
  local held = tonumber(ARGV[i + 2])
  i = i + 3 + (held < 0 and 1 or held)
end
local call, find, sub, got = redis.call, string.find, string.sub, {}
i = 7
while i <= most do
  local channel, held, by = ARGV[i], tonumber(ARGV[i + 2]), 0
  i = i + 3
  if held < 0 then
    local lines, from = ARGV[i], 1
    for _ = 2, -held do
      local to = find(lines, '\\n', from, true)
      by = call('PUBLISH', channel, sub(lines, from, to - 1))
      from = to + 1
    end
    by = call('PUBLISH', channel, sub(lines, from))
    i = i + 1
  else
    for k = i, i + held - 1 do by = call('PUBLISH', channel, ARGV[k]) end
    i = i + held
  end
  got[#got + 1] = by
end
return got
`)
