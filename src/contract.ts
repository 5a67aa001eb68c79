import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Redis } from 'ioredis'

/** The version of what nodes, workers and clients write into Redis for each other. Nodes of another version refuse to join. */
export const CONTRACT_VERSION = 1

// ---------------------------------------------------------------- processor

/** Any Standard Schema (zod, valibot, arktype). Parameters and arguments are checked by it. */
export type Schema = StandardSchemaV1<unknown, unknown>
type Output<S> = S extends Schema ? StandardSchemaV1.InferOutput<S> : Record<string, unknown>
type MessageData<S> = S extends Schema ? StandardSchemaV1.InferOutput<S> : unknown

export type Isolation = 'process' | 'shared'

/** How data that is neither a string nor binary is written. Those who hear it know by its first byte. */
export type Codec = 'json' | 'msgpack'
/**
 * How `data` of a message is read. Without it: what is marked as MessagePack as that, all else as JSON or, where it is
 * none, as text. `text`: always the text. `buffer`: always the bytes. `msgpack`: also where it is not marked, as other
 * programs send it.
 */
export type ReadCodec = 'text' | 'buffer' | 'msgpack'

/** What to hear: a raw channel, all workers of a type, one worker by nickname, or by both. */
export type Source = (
  | { channel: string; type?: never; nickname?: never }
  | { type: string; nickname?: string; channel?: never }
  | { nickname: string; type?: string; channel?: never }
) & { codec?: ReadCodec }

/** How messages go to a channel. */
export interface ChannelOptions {
  /** Default `json`. */
  codec?: Codec
  /**
   * Messages that are on their way at the same time share one Redis message, a frame: many times as fast, for workers
   * that hear workers. Default false: one Redis message each, which any Redis client reads.
   */
  frames?: boolean
}

/** How a worker publishes: `codec` and `frames` are those of its own channel. */
export interface Publishing extends ChannelOptions {
  /** Those of other channels, by name. */
  channels?: Readonly<Record<string, ChannelOptions>>
  /** Bytes that may be published and not yet taken by Redis. Default 64 MB. */
  limitBytes?: number
  /**
   * What happens beyond it. `fail` (default): `publish` rejects with PUBLISH_BACKLOG. `wait`: it takes twice as much
   * before that, and `ctx.drained()` makes a loop that doesn't await each message wait.
   */
  whenFull?: 'fail' | 'wait'
}

/** What may wait for `receive`, and for each handler of `ctx.subscribe`. */
export interface Receiving {
  /** Default 100,000. */
  limitMessages?: number
  /** Of memory: each message counts with its bytes and 400 more. Default 64 MB. */
  limitBytes?: number
  /**
   * What happens beyond it. `dropOldest` (default), `dropNewest`: a message is dropped, and counted (`dropped`). `wait`:
   * the worker reads no more from Redis until there is room; where it takes too long, Redis cuts it off, and what it
   * missed is counted (`lost`).
   */
  whenFull?: 'wait' | 'dropOldest' | 'dropNewest'
}

/** How a worker that ended by itself comes back. Times in ms unless the name says otherwise. */
export interface RestartPolicy {
  /** First wait before a restart; each further one doubles it. Default 1000; the very first restart is at once. */
  minDelayMs?: number
  /** The longest wait. Default 30,000. */
  maxDelayMs?: number
  /** After so long without a crash the count begins anew. Default 60,000. */
  healthyAfterMs?: number
  /** Crashes in a row after which it is given up (status `failed`). Default: never. */
  giveUpAfter?: number
}

/** Why `beforeTermination` is called. */
export type EndReason = 'stop' | 'restart' | 'handover' | 'shutdown' | 'signal' | 'done' | 'error'

interface Common<P extends Schema | undefined> {
  /** One sentence for people: shown by `hysas types` and the page. */
  description?: string
  /** Schema of the parameters, an object. Without it any object is taken. */
  params?: P
  /** A child process of its own (default), or one of many in a common child. */
  isolation?: Isolation
  /** Seconds between heartbeats. Default 1. */
  heartbeatSeconds?: number
  /** How long `beforeTermination` may take before SIGTERM, in seconds. Default 10. */
  graceSeconds?: number
  restart?: RestartPolicy
  publishing?: Publishing
  /** Restarted, with the reason told, when its process takes more memory (resident set, MB). Default: no limit. */
  maxMemoryMb?: number
  /**
   * Restarted, with the reason told, when its event loop was later than this in three heartbeats in a row (99th
   * percentile of the interval, ms): others would wait for its answers. Default: no limit. In a common child its
   * neighbours' work counts too.
   */
  maxLoopDelayMs?: number
}

export interface Operation<P extends Schema | undefined, A> {
  description?: string
  /** Schema of the arguments, an object. */
  args?: A
  run(ctx: Context<Output<P>>, args: Output<A>): unknown
}

/** A worker that lives until it is stopped, or until its work is done. */
export interface LongRunningProcessor<
  P extends Schema | undefined = undefined,
  M extends Schema | undefined = undefined,
  O extends Record<string, unknown> = Record<string, unknown>,
> extends Common<P> {
  /** Once, before anything else. */
  start?(ctx: Context<Output<P>>): unknown
  /** The worker's own loop; it ends with `ctx.signal`. When it returns, its work is done. */
  produce?(ctx: Context<Output<P>>): unknown
  /** What `receive` hears. */
  subscribe?: readonly Source[] | Source | ((of: { nickname: string; params: Output<P> }) => readonly Source[] | Source)
  /** Schema of a message's data. What does not fit is counted and logged, and not received. */
  messages?: M
  /** Gets one message at a time, in order, unless `concurrency` says more. */
  receive?(ctx: Context<Output<P>>, message: Message<MessageData<M>>): unknown
  /** Messages received at the same time. Default 1. */
  concurrency?: number
  receiving?: Receiving
  /** What an error thrown by `receive` does: it is counted and survived (`continue`, default), or ends the run (`restart`). */
  onError?: 'continue' | 'restart'
  /** What `hysas send`, the API and the Command channel may call. */
  operations?: { [K in keyof O]: Operation<P, O[K]> }
  /** Once, at the end, within the grace period. */
  beforeTermination?(ctx: Context<Output<P>>, reason: EndReason): unknown
  tick?: never
  every?: never
  cron?: never
  timezone?: never
}

/** A worker that is a series of short runs, one at a time. Give `every` or `cron`. */
export interface RepeatableProcessor<P extends Schema | undefined = undefined> extends Common<P> {
  /** ms, or a text such as "500ms", "5s", "1m", "2h". */
  every?: number | string
  /** A cron expression of five or six fields. */
  cron?: string
  /** Of `cron`, for example "Europe/Berlin". Default UTC. */
  timezone?: string
  tick(ctx: Context<Output<P>>): unknown
  produce?: never
  receive?: never
  subscribe?: never
  operations?: never
}

/** An ordinary BullMQ sandboxed processor; `job.data` is the worker's parameters. */
export type PlainProcessor = (job: unknown, token?: string, signal?: AbortSignal) => unknown

export type AnyProcessor =
  // biome-ignore lint/complexity/noBannedTypes: the widest form, for code that handles any processor
  (LongRunningProcessor<Schema | undefined, Schema | undefined, {}> | RepeatableProcessor<Schema | undefined>) & {
    readonly [PROCESSOR]?: true
  }

/** Marks what `defineProcessor` returns, also across two copies of the package. */
export const PROCESSOR = Symbol.for('hysas.processor')

// ---------------------------------------------------------------- context

/** What every hook of a processor gets. The same in both isolations. */
export interface Context<P = Record<string, unknown>> {
  readonly type: string
  readonly nickname: string
  /** First part of every key and channel, usually `HySAS`. */
  readonly namespace: string
  /** Checked, defaults filled in. */
  readonly params: P
  /** Aborted when the run is to end. */
  readonly signal: AbortSignal
  /** Number of this run; a later run has a higher one. */
  readonly epoch: number
  readonly log: Log
  /** An ordinary ioredis client, shared by the hooks of this worker. */
  readonly redis: Redis
  readonly events: Events
  /** Resolves after `ms`, or as soon as the signal aborts. Never rejects. */
  sleep(ms: number): Promise<void>
  /**
   * Publishes to the worker's own Pub channel, or to `channel`. Strings and Buffers go as they are, all else as JSON (or
   * what `publishing.codec` says). Resolves when Redis has it, with the number of subscribers that got it; 0 where that
   * was lost with a connection. Messages that are on their way together may share one promise.
   * @throws HysasError NOT_SERIALIZABLE, MESSAGE_TOO_LARGE, PUBLISH_BACKLOG, STALE_RUN (a later run has taken over)
   */
  publish(data: unknown, options?: { channel?: string }): Promise<number>
  /**
   * For a loop that publishes without awaiting each message: resolves at once while Redis keeps up, else when most of what
   * waits for it has gone. Now and then it lets the event loop turn. Never rejects.
   */
  drained(): Promise<void>
  /** Hears one more source while running. Without `handler` its messages go to `receive`. */
  subscribe(source: Source, handler?: (message: Message) => unknown): Promise<Subscription>
  /** A named connection of `databases` in the configuration, opened at first use. @throws HysasError UNKNOWN_DATABASE */
  database(name: string): Promise<Database>
  /** Shown with the worker, and as progress of its job on Bull Board. Any JSON. */
  progress(value: unknown): void
}

export interface Message<T = unknown> {
  /** The parsed JSON or MessagePack, or the string where it is none. Shared with all who hear it: not to be changed. */
  readonly data: T
  /** What came, as text; of MessagePack its data, in JSON. */
  readonly raw: string
  /** What came, in bytes. */
  readonly bytes: Buffer
  readonly channel: string
  /** The publishing worker, where the channel tells. */
  readonly type?: string | undefined
  readonly nickname?: string | undefined
}

export interface Subscription {
  readonly source: Source
  unsubscribe(): Promise<void>
}

export interface Log {
  trace(obj: object, msg?: string): void
  trace(msg: string): void
  debug(obj: object, msg?: string): void
  debug(msg: string): void
  info(obj: object, msg?: string): void
  info(msg: string): void
  warn(obj: object, msg?: string): void
  warn(msg: string): void
  error(obj: object, msg?: string): void
  error(msg: string): void
}
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

export interface Events {
  /**
   * Puts one event into the event store, by way of Redis: it is kept also while the database is away.
   * @param kind for example `alert`
   * @throws HysasError STALE_RUN
   */
  record(kind: string, event?: EventInput): Promise<void>
}

export interface EventInput {
  /** Whom or what it is about: an address, a host. At most 255 characters. */
  source?: string
  severity?: 'info' | 'warning' | 'error' | 'critical'
  /** One sentence. */
  message?: string
  /** Any JSON. */
  data?: unknown
  /** A second event of the same worker and key is dropped. */
  key?: string
}

/** A user's own database: MySQL/MariaDB (`mysql://`) or SQLite (`file:` or a path). */
export interface Database {
  readonly kind: 'mysql' | 'sqlite'
  /** Rows of a query; `?` are bound values. */
  query<T = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<T[]>
  /** A statement that changes something. */
  execute(sql: string, values?: readonly unknown[]): Promise<{ affectedRows: number; insertId: number }>
  /** All in one transaction; rolled back when `work` throws. */
  transaction<T>(work: (tx: Pick<Database, 'query' | 'execute'>) => Promise<T>): Promise<T>
}

// ---------------------------------------------------------------- status

/** The words of `Info.status`. */
export const STATUSES = ['init', 'started', 'terminated', 'disappeared', 'restarting', 'failed'] as const
export type Status = (typeof STATUSES)[number]

/** What a node knows of one processor file after probing it. JSON: it travels from child to node to Redis. */
export interface ProcessorManifest {
  kind: 'long-running' | 'repeatable' | 'plain'
  isolation: Isolation
  description: string
  /** JSON Schema (2020-12) of the parameters, input side. */
  params: Record<string, unknown>
  /** Operations with the JSON Schema of their arguments. */
  operations: Record<string, { description: string; args: Record<string, unknown> }>
  heartbeatSeconds: number
  graceSeconds: number
  restart: Required<Omit<RestartPolicy, 'giveUpAfter'>> & { giveUpAfter: number | null }
  maxMemoryMb: number | null
  maxLoopDelayMs: number | null
  /** Of a repeatable one: period in ms, or cron with its time zone. */
  every: number | null
  cron: string | null
  timezone: string | null
}
