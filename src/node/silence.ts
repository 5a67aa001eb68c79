import { readFileSync } from 'node:fs'
import type { CommonChild } from './common-child.js'
import type { Run } from './run.js'

/** A child tells every second of a run that its event loop turns, ms. */
const PULSE_MS = 1000
/** Beyond that, a child that the system has stopped may be silent so long, ms. */
const STOPPED_MS = 2000
/** And one that computes: its event loop is blocked, perhaps for ever, perhaps only for a long calculation. */
const BUSY_MS = 6500
/** Where the node itself was held up for so long, it has messages of children to read first, ms. */
const HELD_UP_MS = 600
/** How often it is looked whether it is, ms. */
const LOOK_MS = 250

/** What is to be killed: a run, or a common child with all its runs. */
export type Wedged = { which: { kill(why: string): void }; why: string }

/**
 * Tells children that are wedged: they live, but their event loop gives no sign. BullMQ can't tell, since the node renews
 * the lock. Judged by what a child sends to its node, by the monotonic clock, so also while Redis is away.
 */
export function createSilence() {
  const wasHeldUp = watchOwnLoop()

  /** Called every second. @returns what is to be killed, and why */
  return function wedged(runs: readonly Run[], commons: Iterable<CommonChild> = []): Wedged[] {
    if (wasHeldUp()) return []
    const now = performance.now()
    const own = runs.flatMap((run): Wedged[] => {
      if (run.ending || run.child?.common) return [] // the ladder ends it, or its process is judged
      // loading has a deadline of its own
      const why = reason(now, run.heardAt ?? run.handedAt ?? run.takenAt, run.child?.pid, run.handedAt !== undefined)
      return why ? [{ which: run, why }] : []
    })
    const common = [...commons].flatMap((which): Wedged[] => {
      const why = which.isSound && reason(now, which.heardAt, which.pid, true)
      return why ? [{ which, why }] : []
    })
    return [...own, ...common]
  }
}

function reason(now: number, since: number, pid: number | undefined, mayBeBusy: boolean): string {
  const silentMs = now - since - PULSE_MS
  if (silentMs < STOPPED_MS) return ''
  const seconds = ((now - since) / 1000).toFixed(1)
  if (isStopped(pid)) return `its process was stopped and silent for ${seconds} s`
  return silentMs >= BUSY_MS && mayBeBusy ? `its event loop was blocked for ${seconds} s` : ''
}

/** @returns a function that tells whether this process was held up since it was last asked */
function watchOwnLoop(): () => boolean {
  let lastMs = performance.now()
  let longestMs = 0
  const look = () => {
    const now = performance.now()
    longestMs = Math.max(longestMs, now - lastMs - LOOK_MS)
    lastMs = now
  }
  setInterval(look, LOOK_MS).unref()
  return () => {
    const heldUp = Math.max(longestMs, performance.now() - lastMs - LOOK_MS) > HELD_UP_MS
    longestMs = 0
    return heldUp
  }
}

/** Stopped by a signal or a debugger, as Linux tells. Elsewhere not known. */
function isStopped(pid: number | undefined): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return /^[Tt]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}
