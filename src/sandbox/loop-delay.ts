import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'

/** The histogram counts the time between two firings of a timer of this period, so an idle loop shows the period itself. */
const PERIOD_MS = 50
const FRESH_MS = 200
/** A little less than a second: who asks once a second is told of that second alone. */
const WINDOW_MS = 900

/**
 * Measures how late the event loop is: returns a function that gives the 99th percentile in ms since it was last called, or
 * the largest that it has given within a second: whoever else asks must not take a delay away from those who come later.
 * It begins when it is called first: twenty times a second the timer wakes the process, whether it hosts somebody or not.
 */
export function watchLoopDelay(): () => number {
  let histogram: IntervalHistogram | undefined
  let askedAt = 0
  let last = 0
  let given: { at: number; ms: number }[] = []
  return () => {
    const now = performance.now()
    if (now - askedAt < FRESH_MS) return last // several runs in one process ask one after another
    histogram ??= watch()
    if (histogram.count === 0) return last // the timer has not come to its turn: that tells of no delay, and of no loop in time
    askedAt = now
    const ms = histogram.percentile(99) / 1e6 - PERIOD_MS
    histogram.reset()
    given = [...given.filter(({ at }) => now - at < WINDOW_MS), { at: now, ms: Math.max(0, Math.round(ms * 10) / 10) }]
    last = Math.max(...given.map((one) => one.ms))
    return last
  }
}

function watch(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: PERIOD_MS })
  histogram.enable()
  return histogram
}
