import { createClient, type NodeView } from '../client.js'
import type { Settings } from '../config/settings.js'
import { withoutPassword } from '../log.js'
import { startEmbedded } from '../redis/embedded.js'
import type { Cli } from './cli.js'
import { watchFatal } from './fatal.js'
import { nodeLog } from './nodelog.js'
import { serve } from './serve.js'

/** A node that is up, with what its user wants to know. */
export interface NodeUp {
  name: string
  /** Without password. */
  redis: string
  /** `embedded`, or where its address was configured. */
  redisSource: string
  /** An earlier node of this folder had started the embedded Redis. */
  redisShared: boolean
  database: string
  /** Of the page, with the token; empty without one. */
  page: string
  types: string[]
  broken: Record<string, string>
  /** Resolves when the node has ended and all that came with it is released. */
  ended: Promise<void>
}

/**
 * Brings Redis where none is configured, then a node, and keeps it up until it is told to end (`hysas shutdown`) or
 * `asked` aborts. Ctrl-C, SIGTERM and an error that nobody caught hand its workers over where another node can take them;
 * after such an error `ended` rejects with it, and also where the node lost its name to another.
 * @throws HysasError NO_REDIS_SERVER, NO_REDIS, INCOMPATIBLE, NODE_NAME_TAKEN, OPEN_HOST, PORT, ...
 */
export async function bringUp(cli: Cli, given: Settings, asked: AbortSignal): Promise<NodeUp> {
  const log = nodeLog(cli, given.logLevel)
  const fatal = watchFatal(log, asked)
  const { end } = fatal
  const releasers: (() => Promise<unknown>)[] = []
  const release = async () => {
    for (const one of releasers.splice(0).reverse()) await one()
    fatal.release()
  }
  try {
    const embedded = given.redisUrl ? undefined : await startEmbedded({ dataDir: given.dataDir })
    if (embedded) releasers.push(() => embedded.release())
    const settings = { ...given, redisUrl: embedded?.url ?? (given.redisUrl as string) }
    const node = serve(settings, log)
    releasers.push(() => node.stop('shutdown'))
    await unlessAborted(end, node.start())
    endWith(end, async () => node.stop((await isAlone(settings, node.name)) ? 'shutdown' : 'handover'))
    return {
      name: node.name,
      redis: withoutPassword(settings.redisUrl),
      redisSource: embedded ? 'embedded' : given.redisSource,
      redisShared: embedded?.started === false,
      database: given.databaseUrl ? withoutPassword(given.databaseUrl) : `SQLite in ${given.dataDir}`,
      page: node.url,
      types: [...node.types()],
      broken: node.broken(),
      ended: node.stopped.then(release).then(() => {
        fatal.check()
        if (node.failure) throw node.failure
      }),
    }
  } catch (error) {
    await release()
    throw error
  }
}

/** A start may take long: one that is interrupted is not waited for. @throws the signal's reason, or what `work` throws */
async function unlessAborted(signal: AbortSignal, work: Promise<void>): Promise<void> {
  work.catch(() => {}) // told by the race, unless the signal was first
  signal.throwIfAborted()
  let hear = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    hear = () => reject(signal.reason)
    signal.addEventListener('abort', hear, { once: true })
  })
  try {
    await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', hear)
  }
}

function endWith(end: AbortSignal, stop: () => Promise<void>): void {
  if (end.aborted) void stop()
  else end.addEventListener('abort', () => void stop(), { once: true })
}

/** Is nobody there to take the workers over? A Redis that is away counts as nobody. */
async function isAlone(settings: Settings, name: string): Promise<boolean> {
  const nodes = await nodesOf(settings).catch(() => [])
  return !nodes.some((node) => node.name !== name && !node.draining)
}

async function nodesOf({ redisUrl = '', namespace }: Settings): Promise<NodeView[]> {
  const client = await createClient({ redisUrl, namespace })
  try {
    return await client.nodes()
  } finally {
    await client.close()
  }
}
