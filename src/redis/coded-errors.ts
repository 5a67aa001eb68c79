import { ReplyError } from 'ioredis'
import { HysasError, messageOf } from '../errors.js'

/**
 * The same object, whose asynchronous methods reject with errors of the catalogue where ioredis has its own: nobody
 * above knows its texts.
 * @param redis URL without password, for the error
 * @param source where it was configured
 */
export function codedErrors<T extends object>(target: T, redis: string, source: string): T {
  const coded = (error: unknown): unknown => {
    if (error instanceof HysasError) return error
    const reason = messageOf(error)
    if (error instanceof ReplyError) return new HysasError('REDIS_ERROR', { redis, reason }, { cause: error })
    if (!AWAY.test(reason)) return error
    return new HysasError('NO_REDIS', { redis, source, reason: 'the connection was lost' }, { cause: error })
  }
  return new Proxy(target, {
    get(object, key, receiver) {
      const member: unknown = Reflect.get(object, key, receiver)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        const result: unknown = member.apply(object, args)
        return result instanceof Promise ? result.catch((error: unknown) => Promise.reject(coded(error))) : result
      }
    },
  })
}

/** ioredis has no codes for a connection that is away. */
const AWAY = /offlineQueue|Command timed out|Connection is closed|ECONN|EPIPE|max retries per request/i
