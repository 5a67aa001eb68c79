import { LOG_FD, type ToChild } from '../protocol.js'
import { connectRedis } from '../redis/connect.js'
import { namesOf } from '../redis/names.js'
import type { Send } from './home.js'
import { createHost, type Host } from './host.js'
import { logPipe } from './log-pipe.js'
import { watchLoopDelay } from './loop-delay.js'

/** What a processor may do to `process` must not keep us from telling and ending. */
const exit = process.exit.bind(process)
const tell = process.send?.bind(process)
let host: Host | undefined

const send: Send = (message) =>
  new Promise((resolve) => {
    if (!tell || !process.connected) return exit(1)
    tell(message, undefined, undefined, (error: Error | null) => {
      if (error) exit(1)
      resolve()
    })
  })

/** The first message brings the configuration; all others are the host's. */
function onMessage(message: ToChild): void {
  if (host) {
    void host.obey(message)
    return
  }
  if (!('hysas' in message) || message.hysas !== 'config') return
  const { redisUrl, namespace, node, databases, logLevel } = message
  const redis = connectRedis(redisUrl, 'worker', node)
  host = createHost(
    {
      redisUrl,
      names: namesOf(namespace),
      node,
      redis,
      databases,
      logLevel,
      logTo: logPipe(LOG_FD),
      loopDelayMs: watchLoopDelay(),
    },
    send,
  )
  redis.once('ready', () => void send({ hysas: 'ready' }))
}

function onCrash(thrown: unknown, what: string): void {
  if (host?.over) return // the run has been answered for; what its leftovers throw changes nothing
  setTimeout(() => exit(1), 1000)
  if (!host) console.error(thrown)
  void Promise.resolve(host?.crash(thrown, what)).finally(() => exit(1))
}

process.on('message', onMessage)
// The node is gone: nothing here may go on in its worker's name.
process.on('disconnect', () => exit(1))
// Ctrl-C in a terminal, or its end, is the node's: it ends its children in order.
process.on('SIGINT', () => {})
process.on('SIGHUP', () => {})
process.on('SIGTERM', () => void Promise.resolve(host?.terminate()).finally(() => exit(0)))
process.on('uncaughtException', (thrown) => onCrash(thrown, 'An error was thrown that nobody caught.'))
process.on('unhandledRejection', (thrown) => onCrash(thrown, 'A promise was rejected that nobody awaited.'))
