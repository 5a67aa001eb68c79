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
  let closed = false
  const stale = () => new HysasError('STALE_RUN', { nickname: run.nickname, epoch })
  return {
    run,
    epoch,
    get closed() {
      return closed
    },
    check() {
      if (closed) throw stale()
    },
    refused() {
      if (!closed) {
        closed = true
        onStale()
      }
      return stale()
    },
    close() {
      closed = true
    },
  }
}
