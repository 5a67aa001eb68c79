import { parseCookie } from 'cookie'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { ipKeyGenerator, MemoryStore } from 'express-rate-limit'
import { HysasError } from '../errors.js'
import { isSafe } from './guard.js'
import type { Keyring, Role } from './token.js'

/** Wrong tokens from one address in `WINDOW_MS` before every further try is refused unread. */
export const MAX_FAILED = 20
const WINDOW_MS = 60_000

export interface Auth {
  /** Lets in who has a token; sets `res.locals.role` and `.cookie`. @throws HysasError UNAUTHORIZED, RATE_LIMITED */
  guard: RequestHandler
  /** Role of a token that somebody offers, counted when it is wrong. @throws HysasError UNAUTHORIZED, RATE_LIMITED */
  check(req: Request, token: string): Promise<Role>
  close(): void
}

/** One for each server: it counts failed tries by address. */
export function authOf(keyring: Keyring): Auth {
  const failures = new MemoryStore()
  failures.init({ windowMs: WINDOW_MS } as Parameters<MemoryStore['init']>[0])

  const check = async (req: Request, token: string): Promise<Role> => {
    const key = ipKeyGenerator(req.ip ?? 'unknown')
    // Before the comparison: past the limit even the right token is refused, or guessing could go on.
    refuseAbove(await failures.get(key))
    const role = keyring.roleOfToken(token)
    if (role) return role
    refuseAbove(await failures.increment(key))
    throw new HysasError('UNAUTHORIZED')
  }

  const guard = async (req: Request, res: Response, next: NextFunction) => {
    const bearer = /^Bearer +(.+)$/i.exec(req.headers.authorization ?? '')?.[1]
    // A valid cookie passes however many tries have failed: it can't be guessed, and the operator isn't locked out.
    const role =
      bearer === undefined
        ? keyring.roleOfCookies(parseCookie(req.headers.cookie ?? ''))
        : await check(req, bearer.trim())
    if (!role) throw new HysasError('UNAUTHORIZED')
    res.locals.role = role
    res.locals.cookie = bearer === undefined
    res.locals.by = `web:${role} ${req.ip ?? 'unknown'}`
    next()
  }

  return { guard, check, close: () => failures.shutdown() }
}

/** Refuses to a viewer whatever changes something. @throws HysasError FORBIDDEN */
export const viewersOnlyLook: RequestHandler = (req, res, next) => {
  if (isSafe(req) || res.locals.role === 'operator') return next()
  next(new HysasError('FORBIDDEN', { reason: 'the viewer token may only look' }))
}

function refuseAbove(info: { totalHits: number; resetTime: Date | undefined } | undefined): void {
  if (!info || info.totalHits < MAX_FAILED) return
  const seconds = Math.max(1, Math.ceil(((info.resetTime?.getTime() ?? Date.now() + WINDOW_MS) - Date.now()) / 1000))
  throw new HysasError('RATE_LIMITED', { seconds })
}
