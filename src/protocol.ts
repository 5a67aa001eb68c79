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
export interface StartMessage {
  cmd: 1
  job: { id: string; name: string; data: string; opts?: Record<string, unknown> } & Record<string, unknown>
  token: string
}

/** `value` is an EndReason. */
export interface CancelMessage {
  cmd: 7
  value?: string
}

export type ToChild = ConfigMessage | InitMessage | StartMessage | CancelMessage | { hysas: 'logLevel'; level: string }

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
}

/** A failed run's error: `refused` where trying again is no use (parameters that the processor's schema refuses). */
export interface RunFailure {
  message: string
  stack?: string
  name?: string
  code?: string
  refused?: boolean
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
