import { withoutPassword } from '../log.js'
import type { ServerFacts } from '../redis/inspect.js'
import { type Finding, type Patient, problem } from './finding.js'

/** Is there a Redis, does it answer, and is it fit for the fleet? */
export async function redisFindings({ redisUrl, redisSource }: Patient): Promise<Finding[]> {
  const name = 'redis'
  if (!redisUrl) return [await ownServer(name)]
  const [{ checkServer, connectRedis, ready }, { inspectServer }] = await Promise.all([
    import('../redis/connect.js'),
    import('../redis/inspect.js'),
  ])
  const shown = withoutPassword(redisUrl)
  const redis = connectRedis(redisUrl, 'client', 'doctor')
  try {
    await ready(redis, redisUrl, redisSource)
    const facts = await inspectServer(redis)
    const fit = await checkServer(redis, shown).then(
      (): Finding => ({ name, ok: true, text: `version ${facts.version} at ${shown} (${redisSource})` }),
      (error: unknown) => problem(name, error),
    )
    return [fit, memory(facts), policy(facts), persistence(facts)]
  } finally {
    redis.disconnect()
  }
}

async function ownServer(name: string): Promise<Finding> {
  const { findServer } = await import('../redis/embedded-server.js')
  try {
    return { name, ok: true, text: `none is configured or running; \`hysas up\` starts ${findServer()}` }
  } catch (error) {
    return problem(name, error)
  }
}

function memory({ used, limit }: ServerFacts): Finding {
  const name = 'redis memory'
  const mb = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`
  if (!limit) return { name, ok: true, text: `${mb(used)} used, no limit of its own` }
  const text = `${mb(used)} of ${mb(limit)} used`
  if (used < limit * 0.9) return { name, ok: true, text }
  return { name, ok: false, text, remedy: 'Raise maxmemory: when it is full, Redis refuses to write.' }
}

function policy({ policy }: ServerFacts): Finding {
  const name = 'redis policy'
  if (policy === 'noeviction' || policy === '') return { name, ok: true, text: 'noeviction' }
  const remedy = 'Set `maxmemory-policy noeviction`, or a full Redis throws workers and commands away.'
  return { name, ok: false, text: policy, remedy }
}

function persistence({ appendOnly }: ServerFacts): Finding {
  const name = 'redis data'
  if (appendOnly) return { name, ok: true, text: 'append-only file' }
  const remedy = 'Set `appendonly yes`, or the fleet may be forgotten when Redis is killed.'
  return { name, ok: true, text: 'no append-only file', remedy }
}
