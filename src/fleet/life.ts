import type { WorkerView } from './views.js'

/**
 * What the three signals of life say together: the node's beat, the worker's own beat (its event loop turns and reaches
 * Redis), and its progress (messages, and how late its event loop is).
 *
 * - `ok`: it beats, and its event loop is in time.
 * - `busy`: it beats, but its event loop is late; or it has missed beats for a short while, with its node up: it may
 *   compute. Left alone.
 * - `wedged`: no beat for longer than any computing may last, though its node is up: the node kills it, and it comes back.
 * - `cut off`: its node is not heard of. Beats that still come: the node froze or lost its way to Redis. None: both may
 *   live behind a broken network; such a run falls silent by itself before it may begin elsewhere.
 * - `dead`: neither it nor its node has been heard of for longer than a lock lasts: it begins anew on another node.
 * - empty: nothing is expected of it, for it ended, waits, or has not begun.
 */
export type Life = 'ok' | 'busy' | 'wedged' | 'cut off' | 'dead' | ''

export interface Signs {
  status: WorkerView['status']
  /** Seconds since its last beat. */
  age: number | null
  /** Seconds between two beats. */
  interval: number
  loopDelayMs: number | null
  /** Its node beats. */
  nodeUp: boolean
  /** Of a repeatable worker between two ticks: seconds until the next one, negative when it is late. */
  nextTickIn?: number | null
}

/** An event loop that is later than this is busy, ms. */
const LATE_MS = 250
/** A beat may be late by so much, s. */
const SLACK_S = 1
/** A node lets a blocked event loop be for so long before it kills the process (src/node/silence.ts), s. */
const COMPUTING_S = 7.5
/** A lock lasts so long after its node was last heard of, s. */
const LOCK_S = 3

/** Pure. */
export function lifeOf({ status, age, interval, loopDelayMs, nodeUp, nextTickIn }: Signs): Life {
  if (status !== 'init' && status !== 'started' && status !== 'disappeared') return ''
  const silentS = nextTickIn === undefined || nextTickIn === null ? (age ?? 0) - interval : -nextTickIn
  const beats = silentS <= SLACK_S
  if (!nodeUp) return silentS <= LOCK_S ? 'cut off' : 'dead'
  if (beats) return (loopDelayMs ?? 0) > LATE_MS ? 'busy' : 'ok'
  return silentS <= COMPUTING_S ? 'busy' : 'wedged'
}
