import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import { script } from './script.js'

/**
 * Removes jobs that a node has taken but BullMQ can't make a job of, because what stands in Redis is not JSON. Nobody
 * would ever end them: they would be freed and taken again for good. They can't be kept as failed ones either, since
 * they could not be shown.
 * @returns their ids
 */
export async function removeUnreadable(redis: Redis, names: Names, queue: string): Promise<string[]> {
  const key = (part: string) => `${names.queuePrefix}:${queue}:${part}`
  const removed: string[] = []
  for (const id of await redis.lrange(key('active'), 0, -1)) {
    const texts = await redis.hmget(key(id), 'data', 'opts')
    if (texts.every(isJson)) continue
    if ((await removeScript(redis, ['active', 'stalled', id, `${id}:lock`, `${id}:logs`].map(key), [id])) > 0)
      removed.push(id)
  }
  return removed
}

const removeScript = script<number>(`
local count = redis.call('LREM', KEYS[1], 0, ARGV[1])
redis.call('SREM', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[3], KEYS[4], KEYS[5])
return count
`)

function isJson(text: string | null): boolean {
  try {
    JSON.parse(text || '{}')
    return true
  } catch {
    return false
  }
}
