import { type Request, Router } from 'express'
import type { Client } from '../client.js'
import type { Log } from '../contract.js'
import { HysasError } from '../errors.js'
import type { EventStore } from '../store/types.js'
import { checked } from './answer.js'
import { Counts } from './counts.js'
import { Downloads } from './downloads.js'
import type { History } from './history.js'
import { openapiOf } from './openapi.js'
import { Answer, type Call, type Route, routes } from './routes.js'
import type { Role } from './token.js'

/** Mounts the table of routes: who may, what it takes, what it answers. */
export function apiOf(of: {
  client: Client
  history: History
  store: () => Promise<EventStore>
  log: Log
  basePath: string
}): Router {
  const router = Router({ caseSensitive: true })
  const downloads = new Downloads(of.log)
  const counts = new Counts(of.store)
  const failed = (err: unknown) => of.log.error({ err }, 'what a request had begun failed')
  for (const route of routes) {
    router[route.method](route.path.replace(/\{(\w+)\}/g, ':$1'), async (req, res) => {
      if (route.role === 'operator' && res.locals.role !== 'operator') {
        throw new HysasError('FORBIDDEN', { reason: 'the viewer token may only look' })
      }
      if (route.body) refuseUnread(req)
      const given = { params: req.params, query: { ...req.query }, body: req.body ?? {} }
      const who = { by: String(res.locals.by), role: res.locals.role as Role }
      const result = await route.handler({ ...of, counts, failed, ...who, ...readBy(route, given) })
      const { body, options } = result instanceof Answer ? result : new Answer(result)
      if (isGenerator(body)) downloads.refuseMore()
      res.status(options.status ?? route.status ?? 200).set('Cache-Control', 'no-store')
      if (options.fileName) res.attachment(options.fileName)
      if (options.contentType) res.type(options.contentType)
      if (isGenerator(body)) await downloads.send(req, res, body)
      else if (options.contentType) res.send(body)
      else res.json(body)
    })
  }
  const description = openapiOf(routes, of.basePath)
  router.get('/openapi.json', (_req, res) => void res.json(description))
  return router
}

/** Of a body that is no JSON nothing was read: it must not pass for an empty one. @throws HysasError BAD_REQUEST */
function refuseUnread(req: Request): void {
  const { 'transfer-encoding': encoding, 'content-length': length, 'content-type': type } = req.headers
  if (req.body !== undefined || (encoding === undefined && !Number(length))) return
  const reason = `the body must be JSON with the header Content-Type: application/json, not ${type ?? 'without a type'}`
  throw new HysasError('BAD_REQUEST', { reason: reason.slice(0, 200) })
}

const isGenerator = (body: unknown): body is AsyncGenerator<string, void> =>
  typeof body === 'object' && body !== null && Symbol.asyncIterator in body

function readBy(
  route: Route,
  given: Pick<Call, 'query' | 'body'> & { params: unknown },
): Pick<Call, 'params' | 'query' | 'body'> {
  return {
    params: route.params ? (checked(route.params, 'path', given.params) as Record<string, string>) : {},
    query: route.query ? checked(route.query, 'query', given.query) : {},
    body: route.body ? checked(route.body, 'body', given.body) : {},
  }
}
