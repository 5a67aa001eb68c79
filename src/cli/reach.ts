import { HysasError } from '../errors.js'
import { withoutPassword } from '../log.js'
import type { Cli } from './cli.js'
import { note } from './print.js'

export interface Reach {
  /** Of Redis. */
  url: string
  /** Where that address came from. */
  source: string
  /** How long it may be away, ms; undefined: it is waited for however long. */
  patienceMs: number | undefined
}

/**
 * Does what goes on for long (following a log, a channel), and tells when Redis is lost meanwhile and when it is back.
 * @param asked ends it
 * @param use its signal aborts, too, where Redis stays away for longer than may be
 * @throws HysasError NO_REDIS, then
 */
export async function whileRedisAnswers(
  cli: Cli,
  { url, source, patienceMs }: Reach,
  asked: AbortSignal,
  use: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { connectRedis } = await import('../redis/connect.js')
  const redis = connectRedis(url, 'client', 'reach')
  const given = new AbortController()
  const shown = withoutPassword(url)
  let isAway = false
  let patience: NodeJS.Timeout | undefined
  const lost = () => {
    if (isAway) return // an attempt that failed
    isAway = true
    note(cli, `The connection to Redis at ${shown} was lost; trying again.`)
    if (patienceMs === undefined) return
    const reason = `the connection was lost, and could not be made again within ${patienceMs / 1000} s`
    const giveUp = () => given.abort(new HysasError('NO_REDIS', { redis: shown, source, reason }))
    patience = setTimeout(giveUp, patienceMs)
  }
  const back = () => {
    if (isAway) note(cli, `Redis at ${shown} answers again.`)
    isAway = false
    clearTimeout(patience)
  }
  redis.on('close', lost).on('ready', back)
  try {
    await use(AbortSignal.any([asked, given.signal]))
    given.signal.throwIfAborted()
  } finally {
    clearTimeout(patience)
    redis.off('close', lost).off('ready', back).disconnect()
  }
}
