import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { ExpressAdapter } from '@bull-board/express'
import { Queue } from 'bullmq'
import { type RequestHandler, type Response, Router } from 'express'
import type { Redis } from 'ioredis'
import type { Client } from '../client.js'
import type { Log } from '../contract.js'
import { messageOf } from '../errors.js'
import { COMMAND_QUEUE, namesOf, TYPE } from '../redis/names.js'
import { isSafe } from './guard.js'
import { atMostEvery } from './soon.js'

export const BOARD_PATH = '/queues'
/** An action on the board whose path is longer is told cut off. */
const LONGEST = 200
/** ms for which the list of types is not read again. */
const TYPES_MS = 1_000

export interface BoardOptions {
  client: Pick<Client, 'types' | 'list' | 'record'>
  redis: Redis
  namespace: string
  /** Of the page; empty at the root. */
  basePath: string
  log: Log
}

/**
 * Bull Board with the queue of commands and that of every type, the read-only one for viewers. Which types there are is
 * looked up as the board asks for its queues, so a new one is there at once and nothing is polled while nobody looks.
 */
export function boardOf({ client, redis, namespace, basePath, log }: BoardOptions): {
  handler: Router
  close(): Promise<void>
} {
  const queues = new Map<string, Queue>()
  const boards = { operator: newBoard(basePath), viewer: newBoard(basePath) }
  const prefix = namesOf(namespace).queuePrefix

  const addQueue = (name: string) => {
    if (queues.has(name)) return
    const queue = new Queue(name, { connection: redis, prefix, skipMetasUpdate: true })
    queue.on('error', (err) => log.debug({ reason: messageOf(err), queue: name }, 'a queue of the board has trouble'))
    queues.set(name, queue)
    const options = name === COMMAND_QUEUE ? COMMANDS : { description: 'Workers of this type' }
    boards.operator.add(new BullMQAdapter(queue, options))
    boards.viewer.add(new BullMQAdapter(queue, { ...options, readOnlyMode: true }))
  }
  addQueue(COMMAND_QUEUE)

  const refresh = atMostEvery(TYPES_MS, async () => {
    const [types, workers] = await Promise.all([client.types(), client.list()])
    // Also of types that no node has at present: their workers wait there.
    for (const { type } of [...types, ...workers]) if (TYPE.test(type)) addQueue(type)
  })

  const handler = Router()
  handler.use(withoutForeignFonts)
  handler.use('/api', async (_req, _res, next) => {
    await refresh().catch((err) => log.debug({ err }, 'the types for the board could not be read'))
    next()
  })
  handler.use((req, res, next) => {
    if (!isSafe(req)) {
      const { path, method } = req
      const source = String(res.locals.by)
      res.on('finish', () => {
        const what = decoded(path)
          .replace(/^\/api\/queues/, '')
          .slice(0, LONGEST)
        const refused = res.statusCode >= 400
        const message = `Bull Board: ${method} ${what}${refused ? ` refused (${res.statusCode})` : ''}`
        const data = { command: 'board', result: refused ? 'refused' : 'done' }
        client
          .record({ kind: 'command', severity: refused ? 'warning' : 'info', source, message, data })
          .catch((err) => log.warn({ err, source, what }, 'what was done on Bull Board could not be recorded'))
      })
    }
    next()
  })
  handler.use((req, res, next) => boards[res.locals.role === 'operator' ? 'operator' : 'viewer'].router(req, res, next))

  return {
    handler,
    async close() {
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()))
    },
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function newBoard(basePath: string): { router: RequestHandler; add(queue: BullMQAdapter): void } {
  const serverAdapter = new ExpressAdapter().setBasePath(basePath + BOARD_PATH)
  const { addQueue } = createBullBoard({
    queues: [],
    // The adapter's package may bring its own copy of the same types, which TypeScript then holds for others.
    serverAdapter: serverAdapter as unknown as Parameters<typeof createBullBoard>[0]['serverAdapter'],
    options: {
      uiConfig: {
        boardTitle: 'HySAS queues',
        miscLinks: [{ text: 'Workers', url: `${basePath}/` }],
        hideDocsLink: true,
        // It reads CLIENT LIST for each queue at each poll.
        showWorkers: false,
      },
    },
  })
  return { router: serverAdapter.getRouter() as RequestHandler, add: addQueue }
}

/** Shown by the board where a command is added by hand. */
const COMMANDS = {
  description: 'Commands: add a job named start, stop or restart to give one',
  jobDataSchema: {
    type: 'object',
    properties: {
      type: { type: 'string', description: 'Type of the worker; for start only', examples: ['Demo'] },
      nickname: { type: 'string', examples: ['DemoName'] },
      params: { type: 'object', description: 'Parameters of the worker', default: {} },
    },
    required: ['nickname'],
  },
}

/** The board's page asks a font service of a stranger; our policy refuses it, so it isn't asked at all. */
const withoutForeignFonts: RequestHandler = (_req, res, next) => {
  const render = res.render.bind(res) as Response['render']
  res.render = (view: string, options?: object | ((err: Error, html: string) => void)) => {
    render(view, typeof options === 'object' ? options : {}, (err: Error | null, html: string) => {
      if (err) return next(err)
      res.send(html.replace(/<link[^>]+href="https?:[^>]*>/g, ''))
    })
  }
  next()
}
