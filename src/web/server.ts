import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
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
import { hostGuard, isLoopback, originGuard } from './guard.js'
import { boardHeaders, ourHeaders } from './headers.js'
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
  const live = new Live({ client, store, fleet: settings.namespace, node: node.name, log })
  const stream = streamOf(live)
  const board = boardOf({ client, redis, namespace: settings.namespace, log })

  const app = express()
  app.disable('x-powered-by').disable('etag')
  app.use(ourHeaders)
  app.get('/healthz', (_req, res) => void res.type('text').send('ok\n'))
  app.get('/readyz', (_req, res) => {
    const ready = node.ready()
    res
      .status(ready ? 200 : 503)
      .type('text')
      .send(ready ? 'ready\n' : 'not ready: no Redis\n')
  })
  app.use(hostGuard(settings.host))
  app.use(loginOf(auth, keyring))
  app.use(auth.guard, originGuard(), viewersOnlyLook)
  app.use(express.json({ limit: BODY_LIMIT, reviver: refuseProto }))
  app.get('/metrics', async (_req, res) => void res.type(metrics.contentType).send(await metrics.text()))
  app.get('/api/v1/stream', stream.handler)
  app.use('/api/v1', apiOf({ client, store, log }))
  app.use(BOARD_PATH, boardHeaders, board.handler)
  app.use(express.static(pageFolder(), { cacheControl: false, etag: true }))
  app.use(notFound, askForToken, errorAnswer(log))

  const server = await listen(app, settings)
  const { port } = server.address() as AddressInfo
  const origin = `http://${shownHost(settings.host)}:${port}`
  if (settings.port !== 0 && port !== settings.port) {
    log.warn({ wanted: settings.port, port }, `port ${settings.port} is taken; the page is on ${port}`)
  }

  const release = async () => {
    stream.close()
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    auth.close()
    metrics.close()
    await Promise.all([closed, live.close(), board.close()])
  }
  let released: Promise<void> | undefined
  return {
    url: origin + loginPath(keyring.token),
    publicUrl: `${origin}/`,
    port,
    close() {
      released ??= release()
      return released
    },
  }
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
