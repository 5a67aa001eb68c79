import type { Status } from '../contract.js'
import { stackOf } from './failure.js'

/** The numbers and words of one run that its heartbeats carry. */
export interface RunState {
  status: Status
  /** Parts of the worker (`start`, `produce`, `receive`, `tick`, `command`) and how each is. */
  threads: Record<string, 'running' | 'done' | 'failed'>
  published: number
  /** Of these, what went to channels other than the worker's own, by channel. */
  publishedTo: Map<string, number>
  received: number
  errors: number
  /** Messages that came faster than they were received, and were dropped. */
  dropped: number
  droppedBy: Map<string, number>
  /** Messages of other workers that never came, in sum and by channel. */
  lost: number
  lostBy: Map<string, number>
  /** The last times that the subscriptions were cut off, Unix seconds; `to` is null while they are. */
  gaps: { from: number; to: number | null }[]
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
    publishedTo: new Map(),
    received: 0,
    errors: 0,
    dropped: 0,
    droppedBy: new Map(),
    lost: 0,
    lostBy: new Map(),
    gaps: [],
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

/** Counts messages published to a channel other than the worker's own. */
export function notePublishedTo(state: RunState, channel: string, count: number): void {
  const before = state.publishedTo.get(channel)
  if (before !== undefined || state.publishedTo.size < OTHER_CHANNELS)
    state.publishedTo.set(channel, (before ?? 0) + count)
}

/** Channels that a worker is known to publish to, beside its own. */
const OTHER_CHANNELS = 50

/** Counts a message that was dropped. */
export function noteDropped(state: RunState, channel: string): void {
  state.dropped++
  const before = state.droppedBy.get(channel)
  if (before !== undefined || state.droppedBy.size < LOST_CHANNELS) state.droppedBy.set(channel, (before ?? 0) + 1)
}

/** Counts messages that never came. */
export function noteLost(state: RunState, lost: ReadonlyMap<string, number>): void {
  for (const [channel, count] of lost) {
    state.lost += count
    const before = state.lostBy.get(channel)
    if (before !== undefined || state.lostBy.size < LOST_CHANNELS) state.lostBy.set(channel, (before ?? 0) + count)
  }
}

/** Channels of which losses and drops are told one by one; those of further ones are in the sum. */
const LOST_CHANNELS = 200
const GAPS = 5

/** The subscriptions were cut off. */
export function noteCut(state: RunState, nowMs: number): void {
  state.gaps = [...state.gaps, { from: nowMs / 1000, to: null }].slice(-GAPS)
}

/** They are back. */
export function noteBack(state: RunState, nowMs: number): void {
  const last = state.gaps.at(-1)
  if (last) last.to ??= nowMs / 1000
}
