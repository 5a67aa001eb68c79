import { Redis, type RedisOptions } from 'ioredis'
import { HysasError, messageOf } from '../errors.js'
import { withoutPassword } from '../log.js'
import { corkWrites } from './cork.js'
import { watchSilence } from './self-ping.js'

export type RedisRole = 'worker' | 'subscriber' | 'client' | 'node'

/**
 * Opens a connection. It reconnects by itself for as long as it is not closed, also where it is dead though nobody has
 * closed it, and an error of it never crashes.
 * `client`: commands fail at once while Redis is away, and after 2 s without an answer. The other roles: commands wait
 * until Redis is back.
 * @param name shown in Redis's CLIENT LIST as `hysas:<role>:<name>`
 * @param extra options of ioredis that differ from the role's
 */
export function connectRedis(url: string, role: RedisRole, name = '', extra: Options = {}): Redis {
  const redis = new Redis(url, { ...OPTIONS[role], connectionName: connectionName(role, name), ...extra })
  redis.on('error', ignore) // ioredis crashes or prints where nobody listens; `ready` and the commands tell
  return watchSilence(corkWrites(redis), LOOK_MS[role])
}

/** Gives a connection that nobody waits for yet, and that was opened ahead, the name of who uses it from now on. */
export function renameConnection(redis: Redis, role: RedisRole, name: string): void {
  const connection = connectionName(role, name)
  redis.options.connectionName = connection // of the next time that it connects
  if (redis.status === 'connect' || redis.status === 'ready') redis.client('SETNAME', connection).catch(ignore)
}

/** A node has to notice a dead connection while its locks, of three seconds, still hold. */
const LOOK_MS: Record<RedisRole, number> = { node: 500, worker: 1000, subscriber: 1000, client: 1000 }

const retryStrategy = (times: number): number => Math.min(1000, 50 * 2 ** Math.min(times - 1, 10))

type Options = Omit<RedisOptions, 'replyMapping'>

const PATIENT: Options = {
  maxRetriesPerRequest: null,
  enableOfflineQueue: true,
  retryStrategy,
  keepAlive: 10_000,
  connectTimeout: 5000,
  disableClientInfo: true, // two more commands, to tell less than its name does
}
const OPTIONS: Record<RedisRole, Options> = {
  worker: PATIENT,
  node: PATIENT,
  // subscribes while Redis is still loading, too: it need not ask
  subscriber: { ...PATIENT, enableReadyCheck: false },
  client: {
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    commandTimeout: 2000,
    retryStrategy,
    keepAlive: 10_000,
    connectTimeout: 2500,
    disableClientInfo: true,
  },
}

/** Closes a connection, whose Redis may be away, for good: whatever waits for it is rejected. */
export function abandon(redis: Redis): void {
  const between = redis.status === 'reconnecting'
  redis.disconnect()
  if (!between) return
  // closed between two attempts, ioredis would let wait for ever what waits; closed within one, it rejects it
  redis.connect().catch(ignore)
  redis.disconnect()
}

function connectionName(role: RedisRole, name: string): string {
  return `hysas:${role}:${name}`.replace(/[^\x21-\x7e]/g, '_').slice(0, 120)
}

function ignore(): void {}

/**
 * Resolves when the connection can be used. Where it can't be within 3 s, or is refused, it is closed.
 * @param source where the URL was configured, for the error
 * @throws HysasError NO_REDIS, REDIS_AUTH
 */
export async function ready(redis: Redis, url: string, source: string): Promise<void> {
  if (redis.status === 'ready') return
  const shown = withoutPassword(url)
  const releasers: (() => void)[] = []
  try {
    await new Promise<void>((resolve, reject) => {
      let reason = 'no answer within 3 s'
      let refusals = 0
      const fail = (code: 'NO_REDIS' | 'REDIS_AUTH', cause?: unknown) =>
        reject(new HysasError(code, { redis: shown, source, reason }, { cause }))
      const onError = (error: Error & { code?: string }) => {
        reason = reasonOf(error)
        if (AUTH.test(reason)) fail('REDIS_AUTH', error)
        // A second refusal: it isn't just restarting.
        if (FINAL.has(error.code ?? '') && ++refusals === 2) fail('NO_REDIS', error)
      }
      const timer = setTimeout(() => fail('NO_REDIS'), 3000)
      redis.once('ready', resolve)
      redis.on('error', onError)
      releasers.push(
        () => clearTimeout(timer),
        () => redis.off('ready', resolve),
        () => redis.off('error', onError),
      )
    })
  } catch (error) {
    redis.disconnect()
    throw error
  } finally {
    for (const release of releasers) release()
  }
}

const AUTH = /NOAUTH|WRONGPASS|NOPERM|invalid password|invalid username|without any password|AUTH failed/i
const FINAL = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENOENT', 'EACCES'])

/** Node's error for a name with several addresses has an empty message and the real ones inside. */
function reasonOf(error: Error): string {
  const first = error instanceof AggregateError ? error.errors[0] : undefined
  return messageOf(first ?? error).replace(/\.$/, '') || error.name
}

/** What HySAS needs of a server: `XADD ... MAXLEN`, `SET ... KEEPTTL`, BullMQ's own demand. */
const WANTED_VERSION = '6.2.0'

/**
 * Refuses a server that is too old, or that may throw data away when full (also where no limit is set yet: it can be
 * set at any time).
 * @param shown its URL without password
 * @throws HysasError REDIS_OLD, REDIS_EVICTS, REDIS_ERROR
 */
export async function checkServer(redis: Redis, shown: string): Promise<{ version: string; policy: string }> {
  const text = await redis.info().catch((error: unknown) => {
    throw new HysasError('REDIS_ERROR', { redis: shown, reason: messageOf(error) }, { cause: error })
  })
  const info = new Map(text.split('\r\n').map((line) => line.split(/:(.*)/s, 2) as [string, string]))
  const version = info.get('redis_version') ?? '0'
  if (older(version, WANTED_VERSION)) throw new HysasError('REDIS_OLD', { redis: shown, version, wanted: '6.2' })
  const policy = info.get('maxmemory_policy') ?? 'noeviction'
  if (policy !== 'noeviction') throw new HysasError('REDIS_EVICTS', { redis: shown, policy })
  return { version, policy }
}

function older(version: string, wanted: string): boolean {
  const [a, b] = [version, wanted].map((text) => text.split('.').map(Number))
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0)
    if (difference) return difference < 0
  }
  return false
}
