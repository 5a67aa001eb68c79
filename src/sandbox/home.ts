import type { Redis } from 'ioredis'
import type { LogLevel } from '../contract.js'
import type { Logger } from '../log.js'
import type { FromChild, RunResult } from '../protocol.js'
import type { Names } from '../redis/names.js'
import type { CommonBeats } from './common-beats.js'
import type { Hub } from './hub.js'

/** What all runs of one process share. All else belongs to one run, so that many runs can live in one process. */
export interface Home {
  readonly redisUrl: string
  readonly names: Names
  /** Name of the node. */
  readonly node: string
  /** Connection for commands and scripts; it waits while Redis is away. */
  readonly redis: Redis
  /** What all workers of this process hear, over one connection; without it each worker opens a connection of its own. */
  readonly hub?: Hub
  /** URLs by the names that `ctx.database(name)` knows. */
  readonly databases: Readonly<Record<string, string>>
  readonly logLevel: string
  openLog(base: Record<string, unknown>, level: LogLevel): Logger
  /** Delay of the event loop in ms: 99th percentile since it was last asked. */
  loopDelayMs(): number
  /** Resident memory of this process; in a common child, one worker's share of it. */
  memoryMb(): number
  /** Of a common child: what it does for all its workers together. */
  readonly common?: {
    readonly beats: CommonBeats
    /** Has `work` called as the worker's whose code calls this, wherever it is called from. */
    bind<Args extends unknown[]>(work: (...args: Args) => void): (...args: Args) => void
  }
}

/** What a child says: ours, or BullMQ's own messages (`cmd`). */
export type Outgoing =
  | FromChild
  | { cmd: number; value?: unknown; err?: { message: string; stack?: string } }
  | { cmd: 0; value: RunResult }

/** Tells the node something. It never rejects: when the node can't be told any more, the process ends. */
export type Send = (message: Outgoing) => Promise<void>
