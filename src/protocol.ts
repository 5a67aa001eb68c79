import type { ProcessorManifest } from './contract.js'

/**
 * What a node and the child that hosts a worker say to each other over IPC. The messages with `cmd` are BullMQ's own
 * (its numbers: node_modules/bullmq, enums child-command and parent-command), since BullMQ's `sandbox` drives the job;
 * those with `hysas` are ours.
 */
export const CHILD_COMMAND = { init: 0, start: 1, stop: 2, cancel: 7 } as const
export const PARENT_COMMAND = {
  completed: 0,
  error: 1,
  failed: 2,
  initFailed: 3,
  initCompleted: 4,
  log: 5,
  progress: 8,
} as const

/** First message to a child: all it needs to know of the world. Not by environment, which its own children would inherit. */
export interface ConfigMessage {
  hysas: 'config'
  redisUrl: string
  namespace: string
  node: string
  databases: Record<string, string>
  logLevel: string
}

/** To a child: what to load for the coming run. Answered by BullMQ's initCompleted or initFailed. */
export interface InitMessage {
  cmd: 0
  value: { bundle: string; type: string; version: string }
}

/** What BullMQ sends to start: the job as JSON (its `data` is a JSON text), and the token of its lock. */
/** Name of the job by which a node ends a kept child. No worker can have it: jobs of ticks are named after theirs. */
export const END_JOB = ':end'

export interface StartMessage {
  cmd: 1
  job: { id: string; name: string; data: string; opts?: Record<string, unknown> } & Record<string, unknown>
  token: string
  /** Of a tick for which the node has claimed the name already, and whose end it writes. */
  claimed?: TickClaimed
}

/** A child that has waited longer than `TICK_FRESH_MS` before it read it claims the name itself. */
export interface TickClaimed {
  epoch: number
  /** Unix ms by Redis's clock. */
  nowMs: number
  /** As JSON, where the child has not been given them before. */
  params?: string
  /** Ticks of the epoch that were left out; none where it is missing. */
  skipped?: number
  /** By `monotonicMs`. */
  atMs: number
}

/** Half the life of a job's lock. */
export const TICK_FRESH_MS = 1500

/** The same in all processes of a host, and nobody can set it. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000_000n)

/** `value` is an EndReason. */
export interface CancelMessage {
  cmd: 7
  value?: string
}

export type ToChild =
  | ConfigMessage
  | InitMessage
  | StartMessage
  | CancelMessage
  | { hysas: 'logLevel'; level: string }
  /** To a spare one: from now on it hosts many workers, and is told all in `many`. */
  | { hysas: 'common' }
  | { hysas: 'many'; of: [number, ToVirtual][] }

/** To one of the virtual children of a common child, each of which has a number. */
export type ToVirtual =
  | Exclude<ToChild, ConfigMessage | { hysas: 'common' } | { hysas: 'many' }>
  /** Like SIGTERM to a process of its own. */
  | { hysas: 'term' }
  /** Like SIGKILL: its run is over, whatever it is at. Answered by `gone`. */
  | { hysas: 'cut' }

/** Data of a worker's job, and of each tick. The rest is read from the fleet at the claim. */
export interface WorkerJobData {
  nickname: string
  revision: number
}

export type FromChild =
  /** Loaded and connected: may be given a run. */
  | { hysas: 'ready' }
  /** Every second of a run, whatever it is at: its event loop turns. */
  | { hysas: 'alive' }
  /** Holds the name: what the node needs to write its end if it dies. */
  | { hysas: 'claimed'; nickname: string; token: string; epoch: number }
  | { hysas: 'started'; nickname: string }
  /** Every heartbeat, also while Redis is away: numbers that the node shows as its own. */
  | { hysas: 'stats'; nickname: string; stats: RunStats }
  /** Of a virtual child: it is no more. */
  | { hysas: 'gone' }

/** From a common child: what its virtual children say, in order. */
export interface ManyMessage {
  hysas: 'many'
  of: [number, FromChild | { cmd: number; value?: unknown }][]
}

/** From a common child, every second: its event loop turns, and the numbers of the runs that have changed. */
export interface PulseMessage {
  hysas: 'pulse'
  memory_mb: number
  loop_delay_ms: number
  stats: [n: number, published: number, received: number, errors: number, lost: number, status: string][]
}

/** From a common child that ends because of an error that none of its workers could be blamed for. */
export interface DyingMessage {
  hysas: 'dying'
  message: string
  stack?: string
}

/**
 * A line of a common child on `LOG_FD`: `<number of the virtual child> <kind> <text>`. Kinds: `l` a log record, `o` and
 * `e` a line that it printed to stdout or stderr, `b` a Blocking (its number is 0).
 */
export type CommonLine = 'l' | 'o' | 'e' | 'b'

/** Who was found to keep the event loop of a common child from turning. */
export interface Blocking {
  /** Number of the virtual child; 0 where it could not be told. */
  n: number
  /** For so long at that time. */
  ms: number
  stack: string
}

export interface RunStats {
  published: number
  received: number
  errors: number
  /** Messages of other workers that never came. */
  lost: number
  memory_mb: number
  loop_delay_ms: number
  status: string
}

/** How a run ended, as the value of BullMQ's `completed`. Failures come as `failed` with an error's JSON. */
export interface RunResult {
  how: 'stopped' | 'restarted' | 'handover' | 'shutdown' | 'done' | 'unwanted' | 'lost' | 'skipped' | 'ticked' | 'stale'
  nickname: string
  /** Of a tick whose end the node writes: names and texts of the Info fields that have changed. */
  fields?: string[]
}

/**
 * A failed run's error: `refused` where trying again is no use (parameters that the processor's schema refuses), `unfit` where it
 * is only once the file has been mended (it was edited, and refuses those that the worker had been at work with).
 */
export interface RunFailure {
  message: string
  stack?: string
  name?: string
  code?: string
  refused?: boolean
  unfit?: boolean
}

/** What the throwaway child that probes a processor file tells, once. */
export type ProbeReport = { hysas: 'probe'; manifest: ProcessorManifest } | { hysas: 'probe'; reason: string }

/** One line of a worker's log, as the child writes it to file descriptor `LOG_FD`: pino's shape. */
export interface LogRecord {
  level: number
  time: number
  type: string
  nickname: string
  epoch?: number
  msg?: string
  [field: string]: unknown
}
export const LOG_FD = 4
