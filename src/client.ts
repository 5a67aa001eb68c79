import type { CommandOutcome, LogLine, NodeView, TypeView, WorkerView } from './fleet/views.js'

export type { CommandOutcome, LogLine, NodeView, TypeOnNode, TypeView, WorkerView } from './fleet/views.js'

export interface CommandOptions {
  /** How long to wait for the effect, ms. Default 10,000. At its end the command is withdrawn. */
  timeoutMs?: number
  /** Only queue it; it then stays good for an hour. */
  noWait?: boolean
  /** Who gives it, for the record: `cli:root@host`, `web:operator 127.0.0.1`. */
  by?: string
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
  /** Ends all nodes. `forget`: stops every worker for good first. Resolves when no node is left. Returns the names of the nodes ended. */
  shutdown(options?: CommandOptions & { forget?: boolean }): Promise<string[]>

  list(): Promise<WorkerView[]>
  /** @throws HysasError UNKNOWN_WORKER */
  show(nickname: string): Promise<WorkerView>
  types(): Promise<TypeView[]>
  nodes(): Promise<NodeView[]>
  /** Messages published by channel since the fleet began, and who hears it. */
  flows(): Promise<{ from: string; to: string; channel: string; published: number }[]>

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
  /** Heartbeats, node changes and recorded events as they come, until the signal aborts. */
  watch(options: { signal: AbortSignal }): AsyncIterable<{ what: 'beat' | 'fleet' | 'node' | 'event'; data: unknown }>
  close(): Promise<void>
}

export interface ClientOptions {
  redisUrl: string
  /** Default `HySAS`. */
  namespace?: string
}

/** @throws HysasError NO_REDIS, REDIS_AUTH */
export async function createClient(_options: ClientOptions): Promise<Client> {
  throw new Error('not built yet')
}
