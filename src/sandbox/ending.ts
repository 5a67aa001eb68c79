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

export const createEnding = (): Ending => new OneEnding()

/** A class, since of an object with a getter V8 keeps a table for each: there may be thousands. */
class OneEnding implements Ending {
  readonly ended: Promise<Reason>
  readonly hurried: Promise<void>
  #controller: AbortController | undefined
  #reason: Reason | undefined
  #error: unknown
  #resolveEnded: (reason: Reason) => void = () => {}
  #resolveHurried: () => void = () => {}

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
    this.hurried = new Promise((resolve) => {
      this.#resolveHurried = resolve
    })
  }

  /** Made at first need: there may be thousands of ticks a second that never look. */
  get signal(): AbortSignal {
    if (this.#controller) return this.#controller.signal
    const controller = new AbortController()
    setMaxListeners(0, controller.signal)
    if (this.#reason) controller.abort(this.#reason)
    this.#controller = controller
    return controller.signal
  }

  get reason(): Reason | undefined {
    return this.#reason
  }

  get error(): unknown {
    return this.#error
  }

  end(why: Reason, thrown?: unknown): void {
    if (this.#reason) return
    this.#reason = why
    this.#error = thrown
    this.#controller?.abort(why)
    this.#resolveEnded(why)
  }

  hurry(): void {
    this.#resolveHurried()
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
