import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import type { Request, RequestHandler } from 'express'
import { HysasError } from '../errors.js'

/** Is `host` one that only this machine reaches? */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

/**
 * Refuses a Host header that doesn't name this machine: a page of a stranger whose name was pointed at our address
 * (DNS rebinding) sends its own. @throws HysasError FORBIDDEN
 */
export function hostGuard(configured: string, further: readonly string[] = []): RequestHandler {
  const allowed = new Set([configured.toLowerCase(), ...further])
  if (configured === '0.0.0.0' || configured === '::') {
    allowed.add(hostname().toLowerCase())
    for (const addresses of Object.values(networkInterfaces()))
      for (const { address } of addresses ?? []) allowed.add(address)
  }
  return (req, _res, next) => {
    const name = hostName(askedHost(req))
    if (name !== undefined && (isLoopback(name) || allowed.has(name))) return next()
    next(new HysasError('FORBIDDEN', { reason: 'the Host header does not name this server' }))
  }
}

/**
 * Refuses requests that change something and come from another site's page. A request by cookie must say where it
 * comes from; one by header can't come from a page without our consent, so there it is enough if it doesn't say
 * something foreign. @throws HysasError FORBIDDEN
 */
export function originGuard(): RequestHandler {
  return (req, res, next) => {
    if (isSafe(req) || isOwn(req, res.locals.cookie !== false)) return next()
    next(new HysasError('FORBIDDEN', { reason: 'the request comes from the page of another site' }))
  }
}

/** Methods that change nothing. */
export const isSafe = (req: Request): boolean => ['GET', 'HEAD', 'OPTIONS'].includes(req.method)

function isOwn(req: Request, mustSay: boolean): boolean {
  const { origin } = req.headers
  const site = req.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  if (origin === undefined) return !mustSay || site === 'same-origin'
  try {
    return new URL(origin).host === askedHost(req)?.toLowerCase()
  } catch {
    return false
  }
}

/** What the browser asked for: behind a trusted proxy, as the proxy says. */
function askedHost(req: Request): string | undefined {
  // express's `host` believes X-Forwarded-Host where the proxy is trusted, and only there
  return req.headers.host === undefined ? undefined : req.host
}

function hostName(header: string | undefined): string | undefined {
  if (header === undefined || /[^\w.:[\]-]/.test(header)) return undefined
  const name = header.toLowerCase().replace(/:\d+$/, '')
  return isIP(name.slice(1, -1)) === 6 && name !== '[::1]' ? name.slice(1, -1) : name
}
