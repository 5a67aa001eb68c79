import type { Status } from '../contract.js'
import { stackOf } from './failure.js'

/** The numbers and words of one run that its heartbeats carry. */
export interface RunState {
  status: Status
  /** Parts of the worker (`start`, `produce`, `receive`, `tick`, `command`) and how each is. */
  threads: Record<string, 'running' | 'done' | 'failed'>
  published: number
  received: number
  errors: number
  /** Messages that came faster than they were received, and were dropped. */
  dropped: number
  errorMsg: string
  /** What did not come to its end within the grace period, for `stop_info`. */
  cutShort: string
  progress: unknown
  /** Further fields, of a repeatable worker: `last_tick`, `ticks`, `missed`. */
  extra: Record<string, unknown>
}

export function createState(): RunState {
  return {
    status: 'init',
    threads: {},
    published: 0,
    received: 0,
    errors: 0,
    dropped: 0,
    errorMsg: '',
    cutShort: '',
    progress: undefined,
    extra: {},
  }
}

/** Counts an error and keeps its text, for the next heartbeat. */
export function noteError(state: RunState, thrown: unknown): void {
  state.errors++
  state.errorMsg = stackOf(thrown)
}
