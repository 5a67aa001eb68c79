import type { Command, Redis, RedisOptions } from 'ioredis'

/** After so many looks at which nothing had been heard the connection is doubted. */
const DOUBTED = 2
/** What a second connection may take to get an answer, ms. */
const PROBE_MS = 2000
/** What has been answered meanwhile gets so long to arrive, ms. */
const SETTLE_MS = 100

/**
 * Notices a connection that is dead though nobody closed it (a half-open one: a firewall forgot it, a cable was pulled),
 * two to three looks after it fell silent. Where nothing was heard since the look before, it asks PING; where that gets
 * no answer either, it lets a second connection try. Only where that one is answered, the first is dropped, and ioredis
 * opens it anew: a Redis that stands still for a while would answer neither, and what was sent to it would be carried
 * out twice. Duplicates of the connection are watched too.
 * @param everyMs how often it is looked at
 */
export function watchSilence(redis: Redis, everyMs: number): Redis {
  const duplicate = redis.duplicate.bind(redis)
  redis.duplicate = ((override?: Partial<RedisOptions>) =>
    watchSilence(duplicate(override) as Redis, everyMs)) as typeof redis.duplicate
  let stop = () => {}
  redis.on('connect', () => {
    stop()
    stop = look(redis, everyMs, () => duplicate(PROBE) as Redis)
  })
  redis.on('close', () => stop())
  return redis
}

const PROBE: Partial<RedisOptions> = {
  lazyConnect: true,
  enableOfflineQueue: true,
  maxRetriesPerRequest: 0,
  retryStrategy: () => null,
  connectTimeout: PROBE_MS,
}

/** Looks at the present socket of a connection until told to stop. */
function look(redis: Redis, everyMs: number, probe: () => Redis): () => void {
  const { stream } = redis
  let heardBytes = stream.bytesRead
  let silent = 0
  let lookedMs = performance.now()
  let doubting = false

  const doubt = async () => {
    doubting = true
    const others = await answers(redis, probe)
    if (others) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    doubting = false
    if (others && stream.bytesRead === heardBytes)
      stream.destroy(new Error('the connection is dead: no answer to PING'))
  }

  const timer = setInterval(() => {
    const now = performance.now()
    const heldUp = now - lookedMs > 2 * everyMs // there may be answers that we haven't read yet
    lookedMs = now
    if (stream.bytesRead !== heardBytes || heldUp || stream.isPaused() || waitsForLong(redis)) {
      heardBytes = stream.bytesRead
      silent = 0
    } else if (++silent === 1 && redis.status === 'ready') redis.ping().catch(() => {})
    else if (silent >= DOUBTED && !doubting) void doubt()
  }, everyMs).unref()
  return () => clearInterval(timer)
}

/** A blocking command (BLPOP and its like) is the next to be answered: silence is what it is for. */
function waitsForLong(redis: Redis): boolean {
  const next = redis.commandQueue.peekFront()?.command as Command | undefined
  return next?.extractBlockingTimeout() !== undefined
}

/** Probes under way, by address: a process may have many connections to the same silent Redis. */
const probes = new Map<string, Promise<boolean>>()

function answers(redis: Redis, probe: () => Redis): Promise<boolean> {
  const { host, port, path } = redis.options
  const address = path ?? `${host}:${port}`
  const known = probes.get(address)
  if (known) return known
  const asking = ask(probe()).finally(() => probes.delete(address))
  probes.set(address, asking)
  return asking
}

async function ask(other: Redis): Promise<boolean> {
  other.on('error', () => {})
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, PROBE_MS, false)
  })
  try {
    // a script counts as a write: where writes are paused, the first connection waits with good reason
    const asked = other.connect().then(() => other.eval('return 1', 0))
    asked.catch(() => {})
    return (await Promise.race([asked, late])) === 1
  } catch {
    return false
  } finally {
    clearTimeout(timer)
    other.disconnect()
  }
}
