import { createHash } from 'node:crypto'
import { type ErrorRequestHandler, type Request, type Response, Router, urlencoded } from 'express'
import { HysasError, toHysasError } from '../errors.js'
import type { Auth } from './auth.js'
import { originGuard } from './guard.js'
import type { Keyring } from './token.js'

/** `/login?token=` of the link, and the form of the page that asks for a token: both give the cookie. */
export function loginOf(auth: Auth, keyring: Keyring, basePath: string): Router {
  const router = Router()
  const enter = async (req: Request, res: Response, given: unknown) => {
    const role = await auth.check(req, typeof given === 'string' ? given.trim() : '')
    const { name, value } = keyring.cookieOf(role)
    res.cookie(name, value, {
      httpOnly: true,
      sameSite: 'strict',
      path: basePath || '/',
      secure: req.secure,
      maxAge: YEAR_MS,
    })
    // So that the token stays neither in the address bar nor in the history.
    res.set('Cache-Control', 'no-store').redirect(303, `${basePath}/`)
  }
  router.get('/login', async (req, res) => {
    if (req.query.token === undefined) throw new HysasError('UNAUTHORIZED')
    await enter(req, res, req.query.token)
  })
  router.post('/login', originGuard(), urlencoded({ extended: false, limit: 4096 }), (req, res) =>
    enter(req, res, (req.body as { token?: unknown } | undefined)?.token),
  )
  return router
}
const YEAR_MS = 365 * 24 * 3600 * 1000

/** Tells a browser without a valid token, in a page, what to do; everyone else gets the next handler's JSON. */
export const askForToken =
  (basePath: string): ErrorRequestHandler =>
  (thrown, req, res, next) => {
    const error = toHysasError(thrown)
    const page = req.path === '/login' || (req.method === 'GET' && !req.path.startsWith('/api/'))
    if ((error.code !== 'UNAUTHORIZED' && error.code !== 'RATE_LIMITED') || !page || !wantsPage(req))
      return next(thrown)
    if (error.code === 'RATE_LIMITED') res.set('Retry-After', String(error.details.seconds))
    res
      .status(error.status)
      .set('Cache-Control', 'no-store')
      .set(
        'Content-Security-Policy',
        `default-src 'none'; style-src '${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
      )
      .type('html')
      .send(pageOf(error, req.path === '/login', basePath))
  }

const wantsPage = (req: Request): boolean => (req.headers.accept ?? '').includes('text/html')

// Nothing of the request goes into it.
const pageOf = (error: HysasError, tried: boolean, basePath: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>HySAS: a token is needed</title>
<style>${STYLE}</style>
<main>
<h1>HySAS</h1>
${
  error.code === 'RATE_LIMITED'
    ? `<p role="alert">Too many wrong tokens came from your address. Wait ${Number(error.details.seconds)} s and try again.</p>`
    : `<p${tried ? ' role="alert"' : ''}>${tried ? 'That token is not valid here.' : 'This page needs a token.'}</p>`
}
<p>Open the link that <code>hysas up</code> printed. <code>hysas link</code> prints it again. Or enter the token:</p>
<form method="post" action="${basePath}/login">
<label for="token">Token</label>
<input id="token" name="token" type="password" required autofocus autocomplete="current-password">
<button>Enter</button>
</form>
<p><small>Were you in just now, and came by a link of another site? <a href="${basePath}/">Open the page again</a>.</small></p>
</main>
</html>
`

// The colours of the page itself: src/web/page/style.css.
const STYLE = `:root{color-scheme:light dark;--line:light-dark(#8a95a5,#64748a);--go:light-dark(#0b5fa5,#73b6f0)}
body{font:16px/1.5 system-ui,sans-serif;margin:0;padding:12vh 1.25rem 2rem}
body{background:light-dark(#f4f6f8,#0e1217);color:light-dark(#18212e,#e3e8ee)}
main{max-width:28rem;margin:auto}h1{font-size:1.5rem;margin:0 0 1rem}
code{font-family:ui-monospace,monospace}a{color:var(--go)}
label{display:block;font-weight:600}
input,button{font:inherit;color:inherit;background:light-dark(#fff,#161c24);padding:.5rem .75rem}
input,button{border:1px solid var(--line);border-radius:6px;box-sizing:border-box}
:focus-visible{outline:2px solid var(--go);outline-offset:2px}
input{width:100%;margin:.25rem 0 .75rem}button{cursor:pointer}
button{background:var(--go);border-color:var(--go);color:light-dark(#fff,#0b1a29)}`
const STYLE_HASH = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`
