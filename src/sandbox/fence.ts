import { HysasError } from '../errors.js'
import type { RunIdentity } from '../redis/run-scripts.js'

/** Proof of who a run is, and whether it still may write in the worker's name. */
export interface Fence {
  readonly run: RunIdentity
  readonly epoch: number
  /** A later run holds the name, or this one has ended: it may write nothing more. */
  readonly closed: boolean
  /** @throws HysasError STALE_RUN */
  check(): void
  /** A script has refused this run: closes the fence, ends the run. Returns the error to throw. */
  refused(): HysasError
  /** The run has ended in order. */
  close(): void
}

/** @param onStale called once, when a script has refused this run */
export function createFence(run: RunIdentity, epoch: number, onStale: () => void): Fence {
  return new OneFence(run, epoch, onStale)
}

/** A class, since of an object with a getter V8 keeps a table for each: there may be thousands. */
class OneFence implements Fence {
  readonly run: RunIdentity
  readonly epoch: number
  readonly #onStale: () => void
  #closed = false

  constructor(run: RunIdentity, epoch: number, onStale: () => void) {
    this.run = run
    this.epoch = epoch
    this.#onStale = onStale
  }

  get closed(): boolean {
    return this.#closed
  }

  check(): void {
    if (this.#closed) throw this.#stale()
  }

  refused(): HysasError {
    if (!this.#closed) {
      this.#closed = true
      this.#onStale()
    }
    return this.#stale()
  }

  close(): void {
    this.#closed = true
  }

  #stale(): HysasError {
    return new HysasError('STALE_RUN', { nickname: this.run.nickname, epoch: this.epoch })
  }
}
