import type { EventEmitter } from 'node:events'
import type { FromChild, InitMessage, ToChild, ToVirtual } from '../protocol.js'
import type { CommonChild } from './common-child.js'

export type OutputStream = 'log' | 'stdout' | 'stderr'

/**
 * What hosts one worker, in the shape that BullMQ's `sandbox` drives (events `message`, `exit`; `send`, `kill`): a child
 * process of its own, or a virtual one of a common child.
 */
export interface WorkerChild extends EventEmitter {
  readonly pid: number
  readonly exited: boolean
  readonly exitCode: number | null
  readonly signalCode: NodeJS.Signals | null
  /** What it has loaded: BullMQ's pool asks. */
  readonly processFile: string
  /** The process that it is a virtual child of. */
  readonly common?: CommonChild
  /** Why it ended, where more is known than how. */
  readonly endedBy?: EndedBy | undefined
  /** Gets every line it writes. */
  onLine: (stream: OutputStream, line: string) => void
  onMessage: (message: FromChild) => void
  /** Never rejects: a child that can't be told anything is ending, and its exit tells. */
  send(message: ToChild | ToVirtual | object): Promise<void>
  /** Has it load a processor. @throws Error what the child says is wrong with it, or that it took too long */
  load(value: InitMessage['value'], deadlineMs: number): Promise<void>
  signal(signal: NodeJS.Signals): void
  /** Sends a signal and resolves when it has ended; after `timeoutMs` it is killed. */
  kill(signal?: NodeJS.Signals, timeoutMs?: number): Promise<void>
}

/** Why the run of a virtual child ended with its process. */
export interface EndedBy {
  message: string
  stack?: string
  /** The fault was another worker's. */
  innocent: boolean
  /** It kept the event loop of its common child from turning. */
  culprit: boolean
  /** So many workers fell with it: they must not all rise at once. */
  together: number
}
