import type { Heartbeat } from './heartbeat.js'

/** The heartbeats of one tick. */
export interface Beats {
  /** From now on at the latest. */
  start(): Heartbeat
  /** Resolves when none is under way; undefined where there never was one. */
  stop(): Promise<void> | undefined
}

/** A tick that ends before a first heartbeat would be due has none, and costs none. */
export function beatsOf(open: () => Heartbeat, firstMs: number): Beats {
  let heartbeat: Heartbeat | undefined
  let stopped = false
  const start = (): Heartbeat => {
    clearTimeout(timer)
    heartbeat ??= open()
    return heartbeat
  }
  const timer = setTimeout(() => {
    if (!stopped) void start().beat()
  }, firstMs)
  return {
    start,
    stop() {
      stopped = true
      clearTimeout(timer)
      return heartbeat?.stop()
    },
  }
}
