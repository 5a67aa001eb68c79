import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { HysasError, nearest } from './errors.js'
import type { CommandData, CommandName } from './fleet/commands.js'
import { type Effect, startedEffect, stoppedEffect } from './fleet/effect.js'
import { readWorker, readWorkers } from './fleet/fleet.js'
import { readFlows } from './fleet/flows.js'
import { createLogFollower, type LogFollower } from './fleet/follow-logs.js'
import { listen } from './fleet/listen.js'
import { readLog } from './fleet/log-stream.js'
import { readGoneNodes, readNodes, typesOf } from './fleet/nodes.js'
import { recordEvent } from './fleet/outbox.js'
import type { Queues } from './fleet/queues.js'
import { readSamples } from './fleet/samples.js'
import { NO_WAIT_MS, type Submitted, submit, takeReply, withdraw } from './fleet/submit.js'
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
import { redisNowMs } from './redis/fleet-scripts.js'
import { checkNickname, checkType, NICKNAME, namesOf } from './redis/names.js'
import type { StoredEvent } from './store/types.js'

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

export interface CommandOptions {
  /** How long to wait for the effect, ms. Default 10,000. At its end the command is withdrawn. */
  timeoutMs?: number
  /** Only queue it; it then stays good for an hour. */
  noWait?: boolean
  /** Who gives it, for the record: `cli:root@host`, `web:operator 127.0.0.1`. */
  by?: string
  /** Told while waiting, for people: that no node is up. */
  notice?: (text: string) => void
  signal?: AbortSignal
}

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
  /** Where the nodes keep the events; undefined before the first node. */
  storeLocation(): Promise<{ kind: 'mysql' | 'sqlite'; path?: string; host?: string } | undefined>

  /** The last lines of a worker's log (at most 1,000 are kept), oldest first. */
  logs(
    nickname: string,
    options?: { level?: string; sinceMs?: number; after?: string; limit?: number },
  ): Promise<LogLine[]>
  /** Lines as they come, beginning after `after` (default: now), until the signal aborts. */
  followLogs(nickname: string, options: { level?: string; after?: string; signal: AbortSignal }): AsyncIterable<LogLine>
  /** Messages of a raw channel (or of a worker, by nickname) as they come, until the signal aborts. */
  tail(
    channelOrNickname: string,
    options: { signal: AbortSignal },
  ): AsyncIterable<{ channel: string; raw: string; time: number }>
  /** Publishes a text to a raw channel. Returns the number of subscribers that got it. */
  publish(channel: string, data: string): Promise<number>
  /** Puts an event on its way to the event store: what was done past the commands, on Bull Board. */
  record(event: Partial<Omit<StoredEvent, 'id' | 'time'>> & { kind: string }): Promise<void>
  /** Heartbeats, changes of fleet and nodes, and recorded events as they come, until the signal aborts. */
  watch(options: { signal: AbortSignal }): AsyncIterable<{ what: 'beat' | 'fleet' | 'node' | 'event'; data: unknown }>
  close(): Promise<void>
}

export interface ClientOptions {
  redisUrl: string
  /** Where the URL came from, for errors. */
  redisSource?: string
  /** Default `HySAS`. */
  namespace?: string
}

const TIMEOUT_MS = 10_000

/** @throws HysasError NO_REDIS, REDIS_AUTH */
export async function createClient({ redisUrl, redisSource = 'given', namespace }: ClientOptions): Promise<Client> {
  const names = namesOf(namespace)
  const redis = connectRedis(redisUrl, 'client')
  await ready(redis, redisUrl, redisSource)
  const redisShown = withoutPassword(redisUrl)
  const releasers: (() => unknown)[] = [() => redis.disconnect()]

  /** BullMQ is by far the slowest to load, and who only reads doesn't need it. */
  let opened: Promise<{ redis: Redis; names: typeof names; queues: Queues }> | undefined
  const commanding = () => {
    opened ??= import('./fleet/queues.js').then(({ createQueues }) => {
      const queues = createQueues(redis, names)
      releasers.push(() => queues.close())
      return { redis, names, queues }
    })
    return opened
  }

  /** Commands that are waited for at this moment. */
  let underWay = 0

  /** Sends a command and waits until `effect` gives something. */
  async function command<T>(
    name: CommandName,
    data: CommandData,
    options: CommandOptions,
    effect: (answer: unknown, submitted: Submitted) => Promise<T | undefined>,
  ): Promise<T> {
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
    const deadline = performance.now() + timeoutMs
    const context = await commanding()
    const submitted = await submit(context, name, { ...data, by: options.by ?? 'client' }, timeoutMs)
    const anyNode = (await redis.zcount(names.nodes, await redisNowMs(redis), '+inf')) > 0
    if (!anyNode) options.notice?.(`no node is up on ${redisShown}; waiting ${timeoutMs / 1000} s for one`)
    let answer: { value: unknown } | undefined
    underWay++
    try {
      // one alone may ask more often than each of a hundred
      for (let pauseMs = underWay > 1 ? 4 : 2; ; pauseMs = Math.min(50, pauseMs * 1.25)) {
        answer ??= await takeReply(redis, names, submitted.reply)
        const done = answer && (await effect(answer.value, submitted))
        if (done !== undefined) return done
        if (options.signal?.aborted) {
          if (!answer) await withdraw(context, submitted, data.nickname ?? '')
          options.signal.throwIfAborted()
        }
        if (performance.now() > deadline) break
        await delay(pauseMs)
      }
    } finally {
      underWay--
    }
    if (!answer && (await withdraw(context, submitted, data.nickname ?? '')) && !anyNode) {
      throw new HysasError('NO_NODE', { redis: redisShown })
    }
    throw timedOut(name, data, timeoutMs, answer !== undefined)
  }

  /** Start, stop and restart: admitted by the desk, then seen in the fleet. */
  async function commandWorker(
    name: 'start' | 'stop' | 'restart',
    data: CommandData & { nickname: string },
    options: CommandOptions,
  ): Promise<CommandOutcome> {
    const begun = performance.now()
    const ms = () => Math.round((performance.now() - begun) * 10) / 10
    const queued = {
      type: data.type ?? '',
      nickname: data.nickname,
      result: 'queued' as const,
      node: '',
      pid: null,
      epoch: null,
    }
    if (options.noWait) {
      const { revision } = await submit(
        await commanding(),
        name,
        { ...data, by: options.by ?? 'client' },
        NO_WAIT_MS,
        false,
      )
      return { ...queued, revision, ms: ms() }
    }
    const past = { start: 'started', stop: 'stopped', restart: 'restarted' } as const
    return command(name, data, options, async (answer, { revision }) => {
      const { result, type } = answer as { result: string; type: string }
      const of = { type, nickname: data.nickname, revision }
      const effect: Effect | undefined = await (name === 'stop' ? stoppedEffect : startedEffect)(redis, names, of)
      if (!effect) return undefined
      const { node, pid, epoch, stopInfo } = effect
      const word = result === 'unchanged' ? 'unchanged' : past[name]
      const outcome: CommandOutcome = { ...queued, type, revision, result: word, node, pid, epoch, ms: ms() }
      return name === 'stop' ? { ...outcome, stop_info: stopInfo } : outcome
    })
  }

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

    async storeLocation() {
      const { kind, path, host } = await redis.hgetall(names.store)
      if (kind !== 'mysql' && kind !== 'sqlite') return undefined
      return { kind, ...(path && { path }), ...(host && { host }) }
    },

    async logs(nickname, options) {
      await show(nickname)
      return readLog(redis, names, nickname, options)
    },

    async *followLogs(nickname, { level, after, signal }) {
      logs ??= createLogFollower({ redis, names, open: subscriber })
      for await (const line of logs.follow(nickname, after, signal)) if (atLeast(line.level, level)) yield line
    },

    async *tail(channelOrNickname, { signal }) {
      const view = NICKNAME.test(channelOrNickname) && (await readWorker(redis, names, channelOrNickname))
      const channel = view ? names.pub(view.type, view.nickname) : channelOrNickname
      yield* listen(subscriber(), { channels: [channel], signal })
    },

    async record(event) {
      await recordEvent(redis, names, event)
    },

    publish: (channel, data) => redis.publish(channel, data),

    async *watch({ signal }) {
      const patterns = [names.info('*', '*')]
      const channels = [names.wake, names.eventsChannel]
      for await (const { channel, raw } of listen(subscriber(), { channels, patterns, signal })) {
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

function timedOut(name: CommandName, data: CommandData, timeoutMs: number, admitted: boolean): HysasError {
  const seconds = timeoutMs / 1000
  const nickname = data.nickname ?? ''
  if (name === 'send') return new HysasError('NO_ANSWER', { nickname, operation: data.operation, seconds })
  const hint = admitted
    ? `It was accepted and takes effect as soon as it can; \`hysas show ${nickname}\` tells what it waits for.`
    : 'No node took it up in time, and it was withdrawn; `hysas nodes` shows who is up.'
  return new HysasError('TIMEOUT', { what: `${name} ${nickname}`.trim(), seconds, hint })
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
