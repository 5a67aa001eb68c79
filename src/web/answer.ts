import type { ErrorRequestHandler, Request, RequestHandler } from 'express'
import type { z } from 'zod'
import type { Log } from '../contract.js'
import { HysasError, messageOf } from '../errors.js'

/** Answers whatever was thrown as JSON of the catalogue, with its status. What isn't of the catalogue is only logged. */
export function errorAnswer(log: Log): ErrorRequestHandler {
  return (thrown: unknown, req, res, _next) => {
    const error = toHttpError(thrown)
    if (error.code === 'INTERNAL') log.error({ err: thrown, method: req.method, path: req.path }, 'a request failed')
    if (res.headersSent) return void res.destroy()
    if (error.code === 'RATE_LIMITED') res.set('Retry-After', String(error.details.seconds))
    if (error.code === 'UNAUTHORIZED') res.set('WWW-Authenticate', 'Bearer realm="hysas"')
    res.status(error.status).set('Cache-Control', 'no-store').json(error)
  }
}

export const notFound: RequestHandler = (req, _res, next) => next(new HysasError('NOT_FOUND', { path: shortened(req) }))

/** The value, as the schema reads it. @throws HysasError BAD_NICKNAME, BAD_TYPE, BAD_REQUEST */
export function checked<T>(schema: z.ZodType<T>, where: string, given: unknown): T {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    const at = issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], given)
    if (issue.message === 'not a nickname') throw new HysasError('BAD_NICKNAME', { given: shown(at) })
    if (issue.message === 'not a type') throw new HysasError('BAD_TYPE', { given: shown(at) })
  }
  const reasons = result.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${[where, ...path].join('.')}: ${message}`)
  throw new HysasError('BAD_REQUEST', { reason: reasons.join('; ').slice(0, 1000) })
}

function toHttpError(thrown: unknown): HysasError {
  if (thrown instanceof HysasError) return thrown
  // What express and its body parser throw.
  const { status, type, length, limit } = thrown as { status?: number; type?: string; length?: number; limit?: number }
  if (type === 'entity.too.large') {
    return new HysasError('TOO_LARGE', { what: 'body', bytes: length ?? `more than ${limit}`, limit })
  }
  if (status !== undefined && status >= 400 && status < 500) {
    return new HysasError('BAD_REQUEST', { reason: messageOf(thrown).slice(0, 200) }, { cause: thrown })
  }
  // Its message may hold a secret or a path: it is for the log only.
  return new HysasError('INTERNAL', { reason: "the node's log has the cause" }, { cause: thrown })
}

const shortened = (req: Request): string => req.originalUrl.split('?')[0]?.slice(0, 200) ?? ''

function shown(given: unknown): string {
  const text = JSON.stringify(given) ?? 'undefined'
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}
