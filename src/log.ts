import { type DestinationStream, type Logger, pino } from 'pino'
import type { LogLevel } from './contract.js'

export type { Logger } from 'pino'

/** Fields that may hold a secret are written as `[redacted]`, one level deep too. */
const SECRETS = [
  'password',
  'passwd',
  'secret',
  'token',
  'authorization',
  'cookie',
  'apiKey',
  'redisUrl',
  'databaseUrl',
]

/**
 * A structured log: one JSON object a line (pino's shape) to `destination`, default standard error.
 * @param base fields of every line
 */
export function createLog(
  base: Record<string, unknown>,
  level: LogLevel = 'info',
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Logger {
  const paths = SECRETS.flatMap((key) => [key, `*.${key}`])
  return pino({ base, level, redact: { paths, censor: '[redacted]' } }, destination)
}

/** A URL without its password, for people: `redis://user:***@host:6379/0`. Also where it isn't a URL. */
export function withoutPassword(url: string): string {
  return url.replace(/(\/\/[^:/@\s]*:)[^@\s]*@/g, '$1***@')
}
