import type { HeartbeatOptions } from './heartbeat.js'

/**
 * Tells, for one run, whether a heartbeat would say what the one before said: of thousands of idle workers nearly every one
 * does, and to see that costs far less than to make it. Says so only where it is certain.
 */
export function watchChanges(
  of: Pick<HeartbeatOptions, 'state' | 'hears' | 'memoryMb'>,
): (loopDelay: number) => boolean {
  const { state } = of
  let numbers: readonly unknown[] = []
  let threads: readonly string[] = []
  let hears: readonly string[] = []
  return (loopDelay) => {
    const before = numbers
    const same =
      before[0] === state.status &&
      before[1] === state.published && // with what went to other channels
      before[2] === state.received &&
      before[3] === state.errors &&
      before[4] === state.dropped &&
      before[5] === state.lost &&
      before[6] === state.errorMsg &&
      before[7] === of.memoryMb() &&
      before[8] === loopDelay &&
      before[9] === state.progress && // a copy, anew each time
      state.gaps.length === 0 &&
      isEmpty(state.extra) &&
      sameThreads(threads, state.threads) &&
      sameList(hears, of.hears())
    if (same) return true
    const { status, published, received, errors, dropped, lost, errorMsg, progress } = state
    numbers = [status, published, received, errors, dropped, lost, errorMsg, of.memoryMb(), loopDelay, progress]
    threads = Object.entries(state.threads).flat()
    hears = [...of.hears()]
    return false
  }
}

function isEmpty(fields: object): boolean {
  for (const _ in fields) return false
  return true
}

function sameThreads(before: readonly string[], now: Readonly<Record<string, string>>): boolean {
  let i = 0
  for (const name in now) {
    if (before[i] !== name || before[i + 1] !== now[name]) return false
    i += 2
  }
  return i === before.length
}

function sameList(before: readonly string[], now: readonly string[]): boolean {
  return before.length === now.length && before.every((one, i) => one === now[i])
}
