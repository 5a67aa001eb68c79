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
  return pino({ base, level, redact: { paths, censor: CENSOR } }, destination)
}

const CENSOR = '[redacted]'
const SECRET_NAMES = SECRETS.map((name) => name.toLowerCase())

/** Does a field of this name hold a secret, by the names above? `dbPassword` and `access_token` do. */
function isSecret(name: string): boolean {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '')
  return SECRET_NAMES.some((secret) => plain.includes(secret))
}

/**
 * The JSON of what somebody gave, for the record: what its name says is secret is `[redacted]` at any depth, and a URL has
 * no password. @throws RangeError where it is nested too deeply
 */
export function redactedJson(given: unknown): string {
  const shown = (name: string, value: unknown) => {
    if (isSecret(name)) return CENSOR
    return typeof value === 'string' ? withoutPassword(value) : value
  }
  return JSON.stringify(given, shown) ?? ''
}

/** A URL without its password, for people: `redis://user:***@host:6379/0`. Also where it isn't a URL. */
export function withoutPassword(url: string): string {
  return url.replace(/(\/\/[^:/@\s]*:)[^@\s]*@/g, '$1***@')
}
