import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

export type ScriptArg = string | number | Buffer

/**
 * A Lua script that is sent with its first calls, and called by its hash afterwards. A server that has forgotten it
 * (restart, SCRIPT FLUSH) gets it again. Not made for clusters: keys of one call may lie in any slot.
 */
export function script<Reply>(lua: string) {
  let sha: string | undefined
  let called = 0
  return async (redis: Redis, keys: readonly string[], args: readonly ScriptArg[]): Promise<Reply> => {
    if (sha === undefined) {
      called++
      if (called === 2) void hashOf(redis, lua).then((hash) => (sha = hash))
      return (await redis.eval(lua, keys.length, ...keys, ...args)) as Reply
    }
    try {
      return (await redis.evalsha(sha, keys.length, ...keys, ...args)) as Reply
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return (await redis.eval(lua, keys.length, ...keys, ...args)) as Reply
    }
  }
}

/** Redis tells it: to load `node:crypto` takes a tenth of Node's own start, in each process. */
async function hashOf(redis: Redis, lua: string): Promise<string> {
  try {
    return String(await redis.script('LOAD', lua))
  } catch {
    return createHash('sha1').update(lua).digest('hex')
  }
}

/** Puts Redis's own clock, in Unix ms, into `now`: no host's clock matters. */
export const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`
