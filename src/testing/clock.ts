import { sleep as realSleep } from '../sandbox/sleep.js'

export interface Clock {
  /** ms since the beginning. */
  readonly now: number
  /** Resolves after `ms` of this clock, or as soon as the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** Lets `ms` pass, waking each sleeper at its time. Resolves when everything that this set off has come to rest. */
  advance(ms: number): Promise<void>
  /** Resolves when nothing happens any more without time passing. */
  settle(): Promise<void>
  /** Something happened: it may set off more. */
  touch(): void
}

interface Sleeper {
  at: number
  wake(): void
}

/** Enough for any chain that ends; one that goes on for ever without sleeping must not stop the test. */
const MOST_ROUNDS = 1000

/** A clock that stands still until it is told to go on. */
export function ownClock(): Clock {
  const sleepers = new Set<Sleeper>()
  let now = 0
  let happened = 0

  const settle = async () => {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const before = happened
      for (let turn = 0; turn < 5; turn++) await nextTurn()
      if (happened === before) return
    }
  }

  return {
    get now() {
      return now
    },
    sleep(ms, signal) {
      happened++
      if (signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const sleeper = { at: now + Math.max(0, Number.isNaN(ms) ? 0 : ms), wake }
        function wake() {
          sleepers.delete(sleeper)
          signal.removeEventListener('abort', wake)
          happened++
          resolve()
        }
        sleepers.add(sleeper)
        signal.addEventListener('abort', wake)
      })
    },
    async advance(ms) {
      const end = now + ms
      await settle()
      for (let next = earliest(sleepers, end); next; next = earliest(sleepers, end)) {
        now = Math.max(now, next.at)
        next.wake()
        await settle()
      }
      now = end
    },
    settle,
    touch() {
      happened++
    },
  }
}

/** The time of the wall. */
export function realClock(): Clock {
  const began = performance.now()
  return {
    get now() {
      return performance.now() - began
    },
    sleep: realSleep,
    advance: (ms) => realSleep(ms, new AbortController().signal),
    settle: nextTurn,
    touch() {},
  }
}

/** Of several that are due at the same time, the one that went to sleep first. */
function earliest(sleepers: ReadonlySet<Sleeper>, end: number): Sleeper | undefined {
  let found: Sleeper | undefined
  for (const sleeper of sleepers) if (sleeper.at <= end && (!found || sleeper.at < found.at)) found = sleeper
  return found
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
