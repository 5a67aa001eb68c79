import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Redis } from 'ioredis'
import type { AnyProcessor, Context, Database, EndReason, EventInput, LogLevel, PlainProcessor } from '../contract.js'

export interface Published {
  channel: string
  /** As those who hear it get it: what JSON can't keep is gone. */
  data: unknown
  /** ms of the harness's clock. */
  at: number
}
export interface RecordedEvent extends EventInput {
  kind: string
}
export interface LogEntry {
  level: LogLevel
  msg: string
  fields: Record<string, unknown>
}

/** What may be given as parameters: what the schema takes, where the processor's type tells. */
export type ParamsOf<T> = T extends { params?: infer S }
  ? NonNullable<S> extends StandardSchemaV1<infer I, unknown>
    ? unknown extends I
      ? Record<string, unknown>
      : I
    : Record<string, unknown>
  : Record<string, unknown>

export interface HarnessOptions<T = AnyProcessor> {
  /** Default `test`. */
  nickname?: string
  /** Default `Test`. */
  type?: string
  /** Checked by the processor's schema, which fills in the defaults. */
  params?: ParamsOf<T>
  /** What `ctx.redis` is; without it, to use that throws NO_REDIS_GIVEN. */
  redis?: Redis
  /** What `ctx.database(name)` finds. */
  databases?: Record<string, Database>
  /** First part of the channels' names. Default `HySAS`. */
  namespace?: string
  /** `own` (default) stands still until `advance`; `real` is the time of the wall. */
  clock?: 'own' | 'real'
  onPublish?(published: Published): void
  onEvent?(event: RecordedEvent): void
  onLog?(entry: LogEntry): void
}

/** One run of a processor without fleet, Redis and child process, for its tests. */
export interface Harness {
  readonly ctx: Context<Record<string, unknown>>
  /** All that was published, oldest first; and likewise what was recorded and logged. */
  readonly published: Published[]
  readonly events: RecordedEvent[]
  readonly logs: LogEntry[]
  /** Values given to `ctx.progress`. */
  readonly progress: unknown[]
  /** What `receive` and handlers of `ctx.subscribe` threw at messages of the worker's own. */
  readonly errors: unknown[]
  /** ms of the harness's clock. */
  readonly now: number
  /** Resolves when the run has ended, with the reason; rejects with what `start` or `produce` threw. */
  readonly finished: Promise<EndReason>
  /**
   * Runs `start`, subscribes, and sets `produce` going; resolves when all has come to rest.
   * @throws HysasError BAD_PARAMS, or what a hook threw
   */
  start(): Promise<void>
  /**
   * Feeds one message and waits until it has been received; without `channel` it comes over one that the processor hears.
   * @throws what the processor threw at it
   */
  send(data: unknown, options?: { channel?: string }): Promise<void>
  /** Calls an operation and returns its value. @throws HysasError UNKNOWN_OPERATION, BAD_ARGS, or what it threw */
  operation(name: string, args?: Record<string, unknown>): Promise<unknown>
  /** One tick of a repeatable processor. */
  tick(): Promise<void>
  /** Lets `ms` pass on the harness's clock: sleepers wake in their order. @throws what `produce` threw meanwhile */
  advance(ms: number): Promise<void>
  /** Aborts the signal, waits for `produce`, runs `beforeTermination`. May be called twice. */
  stop(reason?: EndReason): Promise<void>
}

export type Testable = AnyProcessor | PlainProcessor
