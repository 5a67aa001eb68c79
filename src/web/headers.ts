import type { RequestHandler } from 'express'
import helmet from 'helmet'

const OURS = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  manifestSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
}

/** Security headers of our page and API: nothing inline, nothing from another host, in nobody's frame. */
export const ourHeaders: RequestHandler = headers(OURS)

/** Those of Bull Board, whose page has a `<base>` and styles of its own in the markup. Scripts are still files of ours. */
export const boardHeaders: RequestHandler = headers({
  ...OURS,
  styleSrc: ["'self'", "'unsafe-inline'"],
  fontSrc: ["'self'", 'data:'],
  workerSrc: ["'self'", 'blob:'],
  baseUri: ["'self'"],
})

function headers(directives: Record<string, string[]>): RequestHandler {
  return helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    // Ours to say only where we serve TLS ourselves, and we don't.
    strictTransportSecurity: false,
    xFrameOptions: { action: 'deny' },
    // Not `no-referrer`: with that a browser sends forms, our own too, as from nowhere (Origin: null).
    referrerPolicy: { policy: 'same-origin' },
  })
}
