import { type Client, createClient } from '../client.js'
import type { Settings } from '../config/settings.js'
import type { Logger } from '../log.js'
import { createNode, type HysasNode, type StopHow } from '../node/node.js'
import type { Run } from '../node/run.js'
import type { EventStore } from '../store/types.js'
import type { LocalWorkerStats, startWeb } from '../web/server.js'

/** A node with its page. */
export interface Served {
  readonly name: string
  /** Of the page, with the token; empty without one. */
  readonly url: string
  types(): readonly string[]
  broken(): Record<string, string>
  /** @throws HysasError what node or page refuse */
  start(): Promise<void>
  /** May be called twice or at once. */
  stop(how?: StopHow): Promise<void>
  /** Resolves once all is released. */
  readonly stopped: Promise<void>
  /** Why the node could not stay up, where nobody told it to end: NODE_NAME_TAKEN. */
  readonly failure: Error | undefined
}

/** Puts a node and its page together: the node knows no web, the page commands the fleet through a client only. */
export function serve(settings: Settings & { redisUrl: string }, log: Logger): Served {
  const node = createNode({ settings, log })
  const releasers: (() => Promise<unknown>)[] = []
  let url = ''

  async function startPage(start: typeof startWeb): Promise<void> {
    const { redisUrl, redisSource, namespace } = settings
    const client = await createClient({ redisUrl, redisSource, namespace })
    releasers.push(() => client.close())
    const web = await start({
      settings,
      client,
      store: openedOnce(node, releasers),
      redis: node.redis,
      node: {
        name: node.name,
        ready: () => node.isReady(),
        workers: () => statsOfAll(node.host().runs(), client),
      },
      log,
    })
    releasers.push(() => web.close())
    url = web.url
    node.setUrl(web.publicUrl)
  }

  return {
    get name() {
      return node.name
    },
    get url() {
      return url
    },
    types: () => node.types(),
    broken: () => node.broken(),
    async start() {
      // a third of all that a node loads; before it is up, since it then may not be silent for long
      const page = settings.web ? await import('../web/server.js') : undefined
      await node.start()
      try {
        if (page) await startPage(page.startWeb)
      } catch (error) {
        await node.stop('handover')
        throw error
      }
    },
    stop: (how) => node.stop(how),
    get failure() {
      return node.failure
    },
    // the page is closed after the node, so that it can show how the node ends
    stopped: node.stopped.then(async () => {
      for (const release of releasers.splice(0).reverse()) await release()
    }),
  }
}

/** One event store for all who ask. One that could not be opened (a database that is away) is tried again by the next. */
function openedOnce(node: HysasNode, releasers: (() => Promise<unknown>)[]): () => Promise<EventStore> {
  let opened: Promise<EventStore> | undefined
  releasers.push(async () => (await opened?.catch(() => undefined))?.close())
  return () => {
    opened ??= node.openStore().catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }
}

async function statsOfAll(runs: readonly Run[], client: Client): Promise<LocalWorkerStats[]> {
  // while Redis is away, all the rest is still told
  const restarts = await client.restarts(runs.map(({ nickname }) => nickname)).catch(() => undefined)
  return runs.map((run) => statsOf(run, restarts?.get(run.nickname) ?? null))
}

function statsOf({ nickname, type, stats, heardAt, started }: Run, restarts: number | null): LocalWorkerStats {
  return {
    nickname,
    type,
    status: stats?.status ?? (started ? 'started' : 'init'),
    published: stats?.published ?? 0,
    received: stats?.received ?? 0,
    errors: stats?.errors ?? 0,
    lost: stats?.lost ?? 0,
    memory_mb: stats?.memory_mb ?? null,
    loop_delay_ms: stats?.loop_delay_ms ?? null,
    restarts,
    age: heardAt === undefined ? null : Math.round(performance.now() - heardAt) / 1000,
  }
}
