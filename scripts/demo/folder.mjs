import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** URL of the Redis of the node that is up: the configured one, else the private one of this folder. */
export function redisUrl(root) {
  const { HYSAS_REDIS_URL, REDIS_URL } = process.env
  if (HYSAS_REDIS_URL || REDIS_URL) return HYSAS_REDIS_URL || REDIS_URL
  return JSON.parse(readFileSync(join(root, '.hysas/redis/server.json'), 'utf8')).url
}

/** Is a Redis configured, so that the node brings none? */
export function isConfigured({ HYSAS_REDIS_URL, REDIS_URL } = process.env) {
  return Boolean(HYSAS_REDIS_URL || REDIS_URL)
}

/** Processes of nodes that use this folder's private Redis now. */
export function liveUsers(root) {
  try {
    const pids = readdirSync(join(root, '.hysas/redis/users')).map((name) => Number.parseInt(name, 10))
    return [...new Set(pids)].filter(isAlive)
  } catch {
    return []
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}
