import type { Publishing } from '../contract.js'
import { HysasError } from '../errors.js'

/** Bytes that may wait, for those who don't await what `publish` returns. */
const LIMIT_BYTES = 64 * 1024 * 1024
/** What waits beyond it makes nothing faster, and costs memory: who asks is to wait. */
const ENOUGH_BYTES = 2 * 1024 * 1024
/**
 * A loop that only publishes must not keep the event loop from heartbeats and the network for longer, ms: what it has
 * published leaves in the turn after, so a longer one has Redis wait for work, and then the loop for Redis.
 */
const SLICE_MS = 2

/** What is published and not yet taken by Redis. */
export interface Backlog {
  /** @throws HysasError PUBLISH_BACKLOG */
  more(bytes: number, channel: string): void
  /** What was let in takes so much more than was known before. */
  grew(bytes: number): void
  less(bytes: number): void
  /** Resolves at once while Redis keeps up, else when half of what waits has gone. Never rejects. */
  drained(): Promise<void>
}

export function createBacklog({ limitBytes = LIMIT_BYTES, whenFull = 'fail' }: Publishing): Backlog {
  const hardLimit = whenFull === 'wait' ? 2 * limitBytes : limitBytes
  const enough = Math.min(ENOUGH_BYTES, limitBytes / 2)
  let unsent = 0
  const waiters: (() => void)[] = []
  let sliceEnd = performance.now() + SLICE_MS

  return {
    more(bytes, channel) {
      if (unsent + bytes > hardLimit) throw new HysasError('PUBLISH_BACKLOG', { channel, bytes: unsent })
      unsent += bytes
    },
    grew(bytes) {
      unsent += bytes
    },
    less(bytes) {
      unsent -= bytes
      if (waiters.length === 0 || unsent > enough / 2) return
      for (const tell of waiters.splice(0)) tell()
    },
    async drained() {
      if (unsent > enough) await new Promise<void>((resolve) => waiters.push(resolve))
      else if (performance.now() < sliceEnd) return
      else await new Promise((resolve) => setImmediate(resolve))
      sliceEnd = performance.now() + SLICE_MS
    },
  }
}
