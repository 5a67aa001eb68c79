import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** So many starts, each soon after the one before, are a flood. */
const FLOOD = 100
/** It is over when there was none for so long, ms. */
const OVER_MS = 2000
/** A larger heap would take too long: that of 5,000 workers stood still for a second, and heartbeats were late. MB. */
const LARGEST_MB = 128

/**
 * Collects garbage once when a flood of starts is over. It leaves as much as all that was started goes on to need, and V8
 * does not give that back by itself while workers beat. Takes some tens of ms; where it would take more, nothing is done.
 * @returns what is to be called at each start
 */
export function collectAfterFlood(): () => void {
  let starts = 0
  let timer: NodeJS.Timeout | undefined

  const over = () => {
    timer = undefined
    const isFlood = starts >= FLOOD
    starts = 0
    if (isFlood && process.memoryUsage().heapTotal < LARGEST_MB * 2 ** 20) collect()
  }

  return () => {
    starts++
    if (timer) timer.refresh()
    else timer = setTimeout(over, OVER_MS).unref()
  }
}

function collect(): void {
  setFlagsFromString('--expose-gc') // a context that is made from now on has it
  const gc = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  setFlagsFromString('--compact-on-every-full-gc') // pages with holes are given back only so
  gc()
  setFlagsFromString('--no-compact-on-every-full-gc')
}
