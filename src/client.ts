import type { Redis } from 'ioredis'
import { HysasError, nearest } from './errors.js'
import { type CommandOptions, createCommander } from './fleet/commander.js'
import { readWorker, readWorkers } from './fleet/fleet.js'
import { readFlows } from './fleet/flows.js'
import { type After, createLogFollower, type LogFollower } from './fleet/follow-logs.js'
import { listen } from './fleet/listen.js'
import { readLog } from './fleet/log-stream.js'
import { readGoneNodes, readNodes, typesOf } from './fleet/nodes.js'
import { recordEvent } from './fleet/outbox.js'
import type { Queues } from './fleet/queues.js'
import { readRestarts } from './fleet/restarts.js'
import { readSamples } from './fleet/samples.js'
import type {
  CommandOutcome,
  FlowView,
  GoneNode,
  LogLine,
  NodeView,
  Sample,
  TypeView,
  WorkerView,
} from './fleet/views.js'
import { withoutPassword } from './log.js'
import { codedErrors } from './redis/coded-errors.js'
import { connectRedis, ready } from './redis/connect.js'
import { checkNickname, checkType, NICKNAME, namesOf } from './redis/names.js'
import type { StoredEvent } from './store/types.js'

export type { CommandOptions } from './fleet/commander.js'
export { lifeOf } from './fleet/life.js'
export type {
  CommandOutcome,
  FlowView,
  GoneNode,
  LogLine,
  NodeView,
  Sample,
  TypeOnNode,
  TypeView,
  WorkerView,
} from './fleet/views.js'

/**
 * Commands and reads the fleet. All that CLI, web and tests use. Methods throw HysasError with the codes of the
 * catalogue; nothing is printed, nothing exits.
 */
export interface Client {
  /** Where it is connected, without password. */
  readonly redisShown: string

  start(
    type: string,
    nickname: string,
    params?: Record<string, unknown>,
    options?: CommandOptions,
  ): Promise<CommandOutcome>
  stop(nickname: string, options?: CommandOptions): Promise<CommandOutcome>
  /** With `params`, the new run has these instead. */
  restart(nickname: string, options?: CommandOptions & { params?: Record<string, unknown> }): Promise<CommandOutcome>
  /** Calls an operation of a running worker (also the built-in subscribe, unsubscribe, logLevel) and returns its value. */
  send(nickname: string, operation: string, args?: Record<string, unknown>, options?: CommandOptions): Promise<unknown>
  /** Ends all nodes. `forget`: stops every worker for good first. Resolves when none of them is left. Returns their names. */
  shutdown(options?: CommandOptions & { forget?: boolean }): Promise<string[]>

  list(): Promise<WorkerView[]>
  /** @throws HysasError UNKNOWN_WORKER */
  show(nickname: string): Promise<WorkerView>
  types(): Promise<TypeView[]>
  nodes(): Promise<NodeView[]>
  /** Nodes that are gone without having said so, of the last hour. */
  goneNodes(): Promise<GoneNode[]>
  /** Who hears whom, of all workers or of those given as lately read. */
  flows(workers?: readonly WorkerView[]): Promise<FlowView[]>
  /** How each running worker stands, by its last heartbeat: only the numbers that change, for charts. */
  samples(): Promise<Sample[]>
  /** How often runs of these workers ended by themselves since the last start command, by nickname. */
  restarts(nicknames: readonly string[]): Promise<Map<string, number>>
  /** Where the nodes keep the events; undefined before the first node. */
  storeLocation(): Promise<{ kind: 'mysql' | 'sqlite'; path?: string; host?: string } | undefined>

  /** The last lines of a worker's log (at most 1,000 are kept), oldest first. */
  logs(
    nickname: string,
    options?: { level?: string; sinceMs?: number; after?: string; limit?: number },
  ): Promise<LogLine[]>
  /**
   * Lines as they come, beginning after a line, its id, or Unix ms (default: now), until the signal aborts. `dropped` is
   * told, before the next line, how many are missing there, of any level: too many came at once, or they were not taken
   * in time. (Of lines that are gone right after `after` only where it is a line, not its id.)
   */
  followLogs(
    nickname: string,
    options: { level?: string; after?: After; signal: AbortSignal; dropped?: (lines: number) => void },
  ): AsyncIterable<LogLine>
  /**
   * Messages of a raw channel (or of a worker, by nickname) as they come, until the signal aborts. `dropped` is told,
   * before the next one, how many are missing there; null where the connection was lost, and nobody knows. `exactly`:
   * the channel of that name, whether a worker has it as nickname or not.
   */
  tail(
    channelOrNickname: string,
    options: { signal: AbortSignal; exactly?: boolean; dropped?: (messages: number | null) => void },
  ): AsyncIterable<{ channel: string; raw: string; time: number }>
  /** Publishes a text to a raw channel. Returns the number of subscribers that got it. */
  publish(channel: string, data: string): Promise<number>
  /** Puts an event on its way to the event store: what was done past the commands, on Bull Board. */
  record(event: Partial<Omit<StoredEvent, 'id' | 'time'>> & { kind: string }): Promise<void>
  /**
   * Heartbeats, changes of fleet and nodes, and recorded events as they come, until the signal aborts. `gap` is told
   * where some may have been missed, at the beginning, too: what is read from then on is whole with what comes.
   */
  watch(options: {
    signal: AbortSignal
    gap?: () => void
  }): AsyncIterable<{ what: 'beat' | 'fleet' | 'node' | 'event'; data: unknown }>
  close(): Promise<void>
}

export interface ClientOptions {
  redisUrl: string
  /** Where the URL came from, for errors. */
  redisSource?: string
  /** Default `HySAS`. */
  namespace?: string
}

/** @throws HysasError NO_REDIS, REDIS_AUTH */
export async function createClient({ redisUrl, redisSource = 'given', namespace }: ClientOptions): Promise<Client> {
  const names = namesOf(namespace)
  const redis = connectRedis(redisUrl, 'client')
  await ready(redis, redisUrl, redisSource)
  const redisShown = withoutPassword(redisUrl)
  const releasers: (() => unknown)[] = [() => redis.disconnect()]

  /** BullMQ is by far the slowest to load, and who only reads doesn't need it. */
  let opened: Promise<Queues> | undefined
  const queues = () => {
    opened ??= import('./fleet/queues.js').then(({ createQueues }) => {
      const created = createQueues(redis, names)
      releasers.push(() => created.close())
      return created
    })
    return opened
  }

  const { command, commandWorker } = createCommander({ redis, names, redisShown, queues })

  const show = async (nickname: string): Promise<WorkerView> => {
    const view = await readWorker(redis, names, checkNickname(nickname))
    if (view) return view
    throw new HysasError('UNKNOWN_WORKER', {
      nickname,
      nearest: nearest(nickname, await redis.smembers(names.workers)),
    })
  }

  /** Reads the logs that are followed, all of them at once. */
  let logs: LogFollower | undefined

  const heard = new Set<Redis>()
  releasers.push(() => {
    for (const own of heard) own.disconnect()
  })

  /** A connection of its own that only hears. */
  const subscriber = (): Redis => {
    const own = connectRedis(redisUrl, 'subscriber')
    heard.add(own)
    own.once('end', () => heard.delete(own)) // a tap on a fast channel takes one after the other
    return own
  }

  const client: Client = {
    redisShown,

    start: async (type, nickname, params = {}, options = {}) =>
      commandWorker('start', { type: checkType(type), nickname: checkNickname(nickname), params }, options),
    stop: async (nickname, options = {}) => commandWorker('stop', { nickname: checkNickname(nickname) }, options),
    restart: async (nickname, { params, ...options } = {}) =>
      commandWorker('restart', { nickname: checkNickname(nickname), ...(params && { params }) }, options),

    async send(nickname, operation, args = {}, options = {}) {
      const data = { nickname: checkNickname(nickname), operation, args }
      // the worker answers itself, in the place of the desk
      return (await command('send', data, options, async (value) => ({ value }))).value
    },

    async shutdown({ forget, ...options } = {}) {
      const before = (await readNodes(redis, names)).map(({ name }) => name)
      if (before.length === 0) return []
      const gone = async () => {
        const left = (await readNodes(redis, names)).filter(({ name }) => before.includes(name))
        return left.length === 0 ? before : undefined
      }
      try {
        return await command('shutdown', { ...(forget && { forget }) }, { timeoutMs: 60_000, ...options }, gone)
      } catch (error) {
        // an embedded Redis goes with its last node
        if (redis.status !== 'ready' && !(error instanceof HysasError)) return before
        throw error
      }
    },

    list: () => readWorkers(redis, names),
    show,
    async types() {
      const wanted = (await readWorkers(redis, names)).filter((worker) => worker.wanted)
      return typesOf(await readNodes(redis, names), wanted)
    },
    goneNodes: () => readGoneNodes(redis, names),
    nodes: async () => (await readNodes(redis, names)).map(({ offered: _, ...view }) => view),

    flows: (workers) => readFlows(redis, names, workers),
    samples: () => readSamples(redis, names),
    restarts: (nicknames) => readRestarts(redis, names, nicknames),

    async storeLocation() {
      const { kind, path, host } = await redis.hgetall(names.store)
      if (kind !== 'mysql' && kind !== 'sqlite') return undefined
      return { kind, ...(path && { path }), ...(host && { host }) }
    },

    async logs(nickname, options) {
      await show(nickname)
      return readLog(redis, names, nickname, options)
    },

    async *followLogs(nickname, { level, ...of }) {
      logs ??= createLogFollower({ redis, names, open: subscriber })
      const lines = logs.follow(nickname, { after: undefined, ...of })
      for await (const line of lines) if (atLeast(line.level, level)) yield line
    },

    async *tail(channelOrNickname, { signal, exactly, dropped }) {
      const view = !exactly && NICKNAME.test(channelOrNickname) && (await readWorker(redis, names, channelOrNickname))
      const channel = view ? names.pub(view.type, view.nickname) : channelOrNickname
      yield* listen(subscriber(), { channels: [channel], signal, dropped })
    },

    async record(event) {
      await recordEvent(redis, names, event)
    },

    publish: (channel, data) => redis.publish(channel, data),

    async *watch({ signal, gap }) {
      const patterns = [names.info('*', '*')]
      const channels = [names.wake, names.eventsChannel]
      // after a lost connection they are missing until it hears again
      const dropped = (messages: number | null) => void (messages !== null && gap?.())
      const listening = { channels, patterns, signal, dropped, hearing: gap }
      for await (const { channel, raw } of listen(subscriber(), listening)) {
        const data = parsed(raw)
        if (channel === names.eventsChannel) yield { what: 'event', data }
        else if (channel === names.wake) yield { what: isNode(data) ? 'node' : 'fleet', data }
        else yield { what: 'beat', data }
      }
    },

    async close() {
      for (const release of releasers.reverse()) await release()
    },
  }
  return codedErrors(client, redisShown, redisSource)
}

const ORDER = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
const atLeast = (level: string, least = 'trace'): boolean => ORDER.indexOf(level) >= ORDER.indexOf(least)

function parsed(raw: string): unknown {
  try {
    return JSON.parse(raw)
  } catch {
    return raw
  }
}

const isNode = (data: unknown): boolean => (data as { what?: unknown } | null)?.what === 'node'
