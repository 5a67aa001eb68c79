import { execFileSync } from 'node:child_process'
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

/** Processes of nodes that use this folder's private Redis now; not a later process of the same id. */
export function liveUsers(root) {
  const folder = join(root, '.hysas/redis/users')
  const users = namesIn(folder).map((name) => ({ pid: Number.parseInt(name, 10), birth: textOf(join(folder, name)) }))
  const living = users.filter(({ pid, birth }) => isAlive(pid) && (birth === '' || birth === birthOf(pid)))
  return [...new Set(living.map(({ pid }) => pid))]
}

function namesIn(folder) {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function textOf(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** What a node wrote into its file: as in src/redis/processes.ts, which may not be built yet. */
function birthOf(pid) {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'lstart=', '-p', `${pid}`], { encoding: 'utf8' }).trim()
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
