import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import { script } from './script.js'

/** What a mark on a subscriber's own channel carries, as JSON. */
export interface Mark {
  n: number
  /** Messages published since the fleet began, by channel, as decimal texts; a channel that has none is left out. */
  counts: Record<string, string>
}

/** Of what the counters are wanted: channels by name, and all Pub channels of a type or of a nickname. */
export interface Counted {
  channels: Iterable<string>
  types: Iterable<string>
  nicknames: Iterable<string>
}

/**
 * Publishes the counters of channels, as they stand, on a subscriber's own channel. Redis delivers in order, so when the
 * mark arrives, all that the counters count has arrived on the same connection before it, or never will.
 * @returns how many got it: 0 while the subscriber is cut off
 */
export async function publishMark(
  redis: Redis,
  names: Names,
  channel: string,
  n: number,
  { channels, types, nicknames }: Counted,
): Promise<number> {
  const prefixes = [...types].map(ofType).concat([...nicknames].map(ofNickname))
  const args = [channel, n, prefixes.length, ...prefixes, ...channels]
  return markScript(redis, [names.published, names.channels], args)
}

const ofType = (type: string): string => `t ${type} `
const ofNickname = (nickname: string): string => `n ${nickname} `

const markScript = script<number>(`
local counts, prefixes = {}, tonumber(ARGV[3])
local function count(channel)
  if not counts[channel] then counts[channel] = redis.call('HGET', KEYS[1], channel) or nil end
end
for i = 4, 3 + prefixes do
  local prefix = ARGV[i]
  for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], '[' .. prefix, '(' .. string.sub(prefix, 1, -2) .. '!')) do
    count(string.sub(member, #prefix + 1))
  end
end
for i = 4 + prefixes, #ARGV do count(ARGV[i]) end
return redis.call('PUBLISH', ARGV[1], cjson.encode({n = tonumber(ARGV[2]), counts = counts}))
`)

/** Channels that are counted beside the workers' own: names may be made up for ever. */
export const OTHER_CHANNELS = 10_000

/**
 * Lua: counts `count` messages of `channel` in the hash `published`; one that is counted for the first time is entered
 * into the index `channels` by type and by nickname, so that those of a pattern are found without looking at all. One that
 * is not the publisher's `own` is counted only while there are fewer than `most` of that kind, which are in the index, too:
 * without a counter, nothing is known of a channel's losses.
 */
export const COUNT_PUBLISHED = `local function countPublished(published, channels, channel, count, own, most)
  if redis.call('HINCRBY', published, channel, count) ~= count then return end
  if channel ~= own then
    if redis.call('ZLEXCOUNT', channels, '[o ', '(o!') >= most then
      redis.call('HDEL', published, channel)
      return
    end
    redis.call('ZADD', channels, 0, 'o ' .. channel)
  end
  local type, nickname = string.match(channel, '%.Worker%.([^.]+)%.([^.]+)%.Pub$')
  if type then redis.call('ZADD', channels, 0, 't ' .. type .. ' ' .. channel, 0, 'n ' .. nickname .. ' ' .. channel) end
end
`
