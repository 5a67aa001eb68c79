import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express, type Response, Router } from 'express'
import type { Redis } from 'ioredis'
import type { Client } from '../client.js'
import type { Settings } from '../config/settings.js'
import type { Log } from '../contract.js'
import { HysasError, messageOf } from '../errors.js'
import type { EventStore } from '../store/types.js'
import { errorAnswer, notFound } from './answer.js'
import { apiOf } from './api.js'
import { pageFolder } from './assets.js'
import { authOf, viewersOnlyLook } from './auth.js'
import { BOARD_PATH, boardOf } from './board.js'
import { followsOf } from './follows.js'
import { hostGuard, isLoopback, originGuard } from './guard.js'
import { boardHeaders, ourHeaders } from './headers.js'
import { History } from './history.js'
import { Live } from './live.js'
import { askForToken, loginOf } from './login.js'
import { metricsOf, type NodeState } from './metrics.js'
import { streamOf } from './stream.js'
import { keyringOf, loginPath } from './token.js'

export type { LocalWorkerStats, NodeState } from './metrics.js'

export interface WebOptions {
  settings: Settings
  client: Client
  /** Opened at first use. */
  store: () => Promise<EventStore>
  /** For Bull Board's queues only. */
  redis: Redis
  node: NodeState
  log: Log
}

export interface Web {
  /** The page with the token, to open in a browser. */
  url: string
  /** The same without the token, to show to others. */
  publicUrl: string
  /** The one opened: the next free one where the configured one was taken. */
  port: number
  /** Ends open streams and the server at once. May be called twice. */
  close(): Promise<void>
}

const BODY_LIMIT = 1_000_000
/** How many ports above the configured one are tried. */
const MORE_PORTS = 50

/**
 * Serves the page, Bull Board, API and metrics of a node. Everything but health needs a token.
 * @throws HysasError OPEN_HOST, PORT
 */
export async function startWeb(options: WebOptions): Promise<Web> {
  const { settings, client, store, redis, node, log } = options
  if (!isLoopback(settings.host) && settings.token === undefined) {
    throw new HysasError('OPEN_HOST', { host: settings.host })
  }
  const keyring = keyringOf(settings)
  const auth = authOf(keyring)
  const metrics = metricsOf(node)
  const history = new History()
  const live = new Live({
    ...{ client, store, log, fleet: settings.namespace, node: node.name },
    history: () => history.totals(),
  })
  const stream = streamOf(live)
  const { namespace, basePath } = settings
  const follows = followsOf({ client, namespace, log })
  const board = boardOf({ client, redis, namespace, basePath, log })

  const app = express()
  app.disable('x-powered-by').disable('etag').set('trust proxy', settings.trustProxy)
  app.use(ourHeaders)
  // Health also at the root: who asks for it is beside the node, not before the proxy.
  app.use(healthOf(node))
  const at = Router({ caseSensitive: true })
  at.use(healthOf(node))
  at.use(hostGuard(settings.host, settings.allowedHosts))
  at.use(loginOf(auth, keyring, basePath))
  at.use(auth.guard, originGuard(), viewersOnlyLook)
  at.use(express.json({ limit: BODY_LIMIT, reviver: refuseProto }))
  at.get('/metrics', async (_req, res) => void res.type(metrics.contentType).send(await metrics.text()))
  at.get('/api/v1/stream', stream.handler)
  at.use('/api/v1', follows.router, apiOf({ client, history, store, log, basePath }))
  at.use(BOARD_PATH, boardHeaders, board.handler)
  at.use(express.static(pageFolder(), { cacheControl: false, etag: true, setHeaders: askAnew }))
  at.use(notFound, askForToken(basePath), errorAnswer(log))
  // The page's own links are relative, so its address must end in a slash.
  if (basePath)
    app.get(basePath, (req, res, next) => (req.path === basePath ? res.redirect(308, `${basePath}/`) : next()))
  app.use(basePath || '/', at)
  app.use(hostGuard(settings.host, settings.allowedHosts), notFound, errorAnswer(log))

  const server = await listen(app, settings)
  history.start(client, log)
  const { port } = server.address() as AddressInfo
  const origin = `http://${shownHost(settings.host)}:${port}`
  if (settings.port !== 0 && port !== settings.port) {
    log.warn({ wanted: settings.port, port }, `port ${settings.port} is taken; the page is on ${port}`)
  }

  const release = async () => {
    stream.close()
    follows.close()
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    auth.close()
    metrics.close()
    await Promise.all([closed, live.close(), history.close(), board.close()])
  }
  let released: Promise<void> | undefined
  return {
    url: origin + basePath + loginPath(keyring.token),
    publicUrl: `${origin}${basePath}/`,
    port,
    close() {
      released ??= release()
      return released
    },
  }
}

/** A browser may keep a file, and asks each time whether it still is so: after an update the page is of one piece. */
const askAnew = (res: Response) => void res.set('Cache-Control', 'no-cache')

function healthOf(node: NodeState): Router {
  const router = Router()
  router.get('/healthz', (_req, res) => void res.type('text').send('ok\n'))
  router.get('/readyz', (_req, res) => {
    const ready = node.ready()
    res
      .status(ready ? 200 : 503)
      .type('text')
      .send(ready ? 'ready\n' : 'not ready: no Redis\n')
  })
  return router
}

async function listen(app: Express, { host, port }: Settings): Promise<Server> {
  for (let at = port; ; at++) {
    const server = createServer(app)
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ host, port: at, exclusive: true }, resolve)
      })
      return server
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (taken && at < port + MORE_PORTS && at < 65_535) continue
      throw new HysasError('PORT', { host, reason: messageOf(error) }, { cause: error })
    }
  }
}

/** A link to "all addresses" is of no use; on this machine it is the loopback one. */
function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}

// A plain error: the body parser decorates what is thrown here with a status of its own.
function refuseProto(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new SyntaxError('the key __proto__ is not allowed')
  return value
}
