import { readFileSync } from 'node:fs'
import type { Run } from './run.js'

/** A child tells every second of a run that its event loop turns, ms. */
const PULSE_MS = 1000
/** Beyond that, a child that the system has stopped may be silent so long, ms. */
const STOPPED_MS = 2000
/** And one that computes: its event loop is blocked, perhaps for ever, perhaps only for a long calculation. */
const BUSY_MS = 6500
/** Where the node itself was held up for so long, it has messages of children to read first. */
const OWN_GAP_MS = 1600

/**
 * Tells runs whose child is wedged: it lives, but its event loop gives no sign. BullMQ can't tell, since the node renews
 * the lock. Judged by what the child sends to its node, by the monotonic clock, so also while Redis is away.
 */
export function createSilence() {
  let lastMs = performance.now()

  /** Called every second. @returns why, for each run that is to be killed */
  return function wedged(runs: readonly Run[]): { run: Run; why: string }[] {
    const now = performance.now()
    const heldUp = now - lastMs > OWN_GAP_MS
    lastMs = now
    if (heldUp) return []
    return runs.flatMap((run) => {
      if (run.ending) return [] // the ladder ends it
      const since = run.heardAt ?? run.handedAt ?? run.takenAt
      const silentMs = now - since - PULSE_MS
      if (silentMs < STOPPED_MS) return []
      const seconds = ((now - since) / 1000).toFixed(1)
      if (isStopped(run.child?.pid)) return [{ run, why: `its process was stopped and silent for ${seconds} s` }]
      // loading has a deadline of its own
      if (silentMs < BUSY_MS || run.handedAt === undefined) return []
      return [{ run, why: `its event loop was blocked for ${seconds} s` }]
    })
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
