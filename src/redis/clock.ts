import type { Redis } from 'ioredis'
import { redisNowMs } from './fleet-scripts.js'

const wallClock = Date.now

/** The host's own wall clock, Unix ms: what times of files are compared with, also while `Date.now` follows Redis. */
export const hostNowMs = (): number => wallClock()

/** The most certain of so many counts: one whose answer came late would be corrected by the next, backwards perhaps. */
const FIRST_LOOKS = 4

export interface FleetClock {
  /** To be called now and then: corrects what has drifted. Throws what Redis throws. */
  sync(): Promise<void>
  /** Gives the process its own clock back. */
  release(): void
}

/**
 * Makes `Date.now` of this process tell Redis's time. BullMQ schedules by it, and what one node has scheduled is taken
 * by others: a clock that is a minute fast (or is set while the node runs) would keep ticks and restarts waiting for a
 * minute, or skip their pauses. Between two looks at Redis the monotonic clock carries it on, which nobody can set.
 */
export async function followRedisClock(redis: Redis): Promise<FleetClock> {
  /** Redis's time at the monotonic clock's zero, and by how much that may be wrong. */
  const look = async () => {
    const sent = performance.now()
    const nowMs = await redisNowMs(redis)
    const got = performance.now()
    return { measuredMs: nowMs - (sent + got) / 2, uncertainMs: (got - sent) / 2 + 1 }
  }
  let best = await look()
  for (let looks = 1; looks < FIRST_LOOKS; looks++) {
    const next = await look()
    if (next.uncertainMs < best.uncertainMs) best = next
  }
  let startMs = best.measuredMs

  const sync = async () => {
    const { measuredMs, uncertainMs } = await look()
    // only what is surely wrong is corrected, so that time doesn't jitter
    if (Math.abs(measuredMs - startMs) > uncertainMs) startMs = measuredMs
  }

  const before = Date.now
  const fleetNow = () => Math.floor(startMs + performance.now())
  Date.now = fleetNow
  return {
    sync,
    release() {
      if (Date.now === fleetNow) Date.now = before
    },
  }
}
