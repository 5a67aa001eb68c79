import { setMaxListeners } from 'node:events'
import type { EndReason } from '../contract.js'

/** Why a run ends. `stale`: a later run holds the name. `cut`: it is over already, and only to be cleared away. */
export type Reason = EndReason | 'stale' | 'cut'

/** The end of one run, wherever it comes from: the first reason counts. */
export interface Ending {
  readonly signal: AbortSignal
  readonly reason: Reason | undefined
  /** What was thrown, where the reason is `error`. */
  readonly error: unknown
  /** Resolves with the reason; never rejects. */
  readonly ended: Promise<Reason>
  /** Resolves when there is no time left to wait for anything. */
  readonly hurried: Promise<void>
  end(reason: Reason, error?: unknown): void
  hurry(): void
}

export function createEnding(): Ending {
  let controller: AbortController | undefined
  let reason: Reason | undefined
  let error: unknown
  let resolveEnded: (reason: Reason) => void = () => {}
  let resolveHurried: () => void = () => {}
  const ended = new Promise<Reason>((resolve) => {
    resolveEnded = resolve
  })
  const hurried = new Promise<void>((resolve) => {
    resolveHurried = resolve
  })
  return {
    // made at first need: there may be thousands of ticks a second that never look
    get signal() {
      if (controller) return controller.signal
      controller = new AbortController()
      setMaxListeners(0, controller.signal)
      if (reason) controller.abort(reason)
      return controller.signal
    },
    ended,
    hurried,
    get reason() {
      return reason
    },
    get error() {
      return error
    },
    end(why, thrown) {
      if (reason) return
      reason = why
      error = thrown
      controller?.abort(why)
      resolveEnded(why)
    },
    hurry: () => resolveHurried(),
  }
}

/**
 * Waits for `work`, at most `ms`, and not once the ending hurries. Rejects as `work` does.
 * @returns whether it was finished in time
 */
export async function within(ms: number, ending: Ending, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms), false)
  })
  try {
    return await Promise.race([work.then(() => true), late, ending.hurried.then(() => false)])
  } finally {
    clearTimeout(timer)
    work.catch(() => {}) // it may still fail later, when nobody waits any more
  }
}
