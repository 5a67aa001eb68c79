import { createLog } from '../log.js'
import type { ToChild } from '../protocol.js'
import { type ConfigMessage, type DyingMessage, LOG_FD, type ManyMessage, type PulseMessage } from '../protocol.js'
import { connectRedis } from '../redis/connect.js'
import { namesOf } from '../redis/names.js'
import { type Common, createCommon } from './common.js'
import { failureOf } from './failure.js'
import type { Home, Outgoing } from './home.js'
import { createHost, type Host } from './host.js'
import { logPipe } from './log-pipe.js'
import { watchLoopDelay } from './loop-delay.js'

/** What a processor may do to `process` must not keep us from telling and ending. */
const exit = process.exit.bind(process)
const tell = process.send?.bind(process)
const pipe = logPipe(LOG_FD)
let home: Home | undefined
/** One worker lives here, */
let host: Host | undefined
/** or many. */
let common: Common | undefined

const send = (message: Outgoing | ManyMessage | PulseMessage | DyingMessage): Promise<void> =>
  new Promise((resolve) => {
    if (!tell || !process.connected) return exit(1)
    tell(message, undefined, undefined, (error: Error | null) => {
      if (error) exit(1)
      resolve()
    })
  })

/** The first message brings the configuration; all others are the host's. */
function onMessage(message: ToChild): void {
  if (!home) {
    if ('hysas' in message && message.hysas === 'config') open(message)
  } else if ('hysas' in message && message.hysas === 'common') {
    host = undefined
    common ??= createCommon({ home, pipe, send, exit })
  } else if ('hysas' in message && message.hysas === 'many') common?.obey(message.of)
  else void host?.obey(message)
}

function open({ redisUrl, namespace, node, databases, logLevel }: ConfigMessage): void {
  const redis = connectRedis(redisUrl, 'worker', node)
  home = {
    redisUrl,
    names: namesOf(namespace),
    node,
    redis,
    databases,
    logLevel,
    openLog: (base, level) => createLog(base, level, pipe),
    loopDelayMs: watchLoopDelay(),
    memoryMb: residentMb,
  }
  host = createHost(home, send)
  redis.once('ready', () => void send({ hysas: 'ready' }))
}

function residentMb(): number {
  return Math.round((process.memoryUsage.rss() / 2 ** 20) * 10) / 10
}

function onCrash(thrown: unknown, what: string): void {
  if (common?.blame(thrown, what)) return
  if (host?.isOver()) return // the run has been answered for; what its leftovers throw changes nothing
  setTimeout(() => exit(1), 1000)
  if (!host) console.error(thrown)
  void Promise.resolve(common ? dying(thrown, what) : host?.crash(thrown, what)).finally(() => exit(1))
}

function dying(thrown: unknown, what: string): Promise<void> {
  const { message, stack } = failureOf(thrown)
  return send({ hysas: 'dying', message: `${what} ${message}`, ...(stack && { stack }) })
}

process.on('message', onMessage)
// The node is gone: nothing here may go on in its worker's name.
process.on('disconnect', () => exit(1))
// Ctrl-C in a terminal, or its end, is the node's: it ends its children in order.
process.on('SIGINT', () => {})
process.on('SIGHUP', () => {})
process.on('SIGTERM', () => void Promise.resolve((common ?? host)?.terminate()).finally(() => exit(0)))
process.on('uncaughtException', (thrown) => onCrash(thrown, 'An error was thrown that nobody caught.'))
process.on('unhandledRejection', (thrown) => onCrash(thrown, 'A promise was rejected that nobody awaited.'))
