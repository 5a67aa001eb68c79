import type { Redis } from 'ioredis'
import { redisNowMs } from './fleet-scripts.js'

const wallClock = Date.now

/** The host's own wall clock, Unix ms: what times of files are compared with, also while `Date.now` follows Redis. */
export const hostNowMs = (): number => wallClock()

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
  let startMs = Number.NaN // Redis's time at the monotonic clock's zero

  const sync = async () => {
    const sent = performance.now()
    const nowMs = await redisNowMs(redis)
    const got = performance.now()
    const measuredMs = nowMs - (sent + got) / 2
    const uncertainMs = (got - sent) / 2 + 1
    // only what is surely wrong is corrected, so that time doesn't jitter
    if (Number.isNaN(startMs) || Math.abs(measuredMs - startMs) > uncertainMs) startMs = measuredMs
  }

  await sync()
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
