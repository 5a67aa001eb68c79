import type { CommonChild } from './common-child.js'
import { tooLarge } from './memory.js'
import type { Run } from './run.js'
import { createSilence } from './silence.js'

/** How often a job's progress on Bull Board is refreshed, ms. */
const PROGRESS_MS = 5000
/** Jobs refreshed in one turn: ten thousand workers must not become ten thousand writes at once. */
const AT_ONCE = 100

/**
 * What a node does for its runs every second besides keeping them: ends wedged ones and those that take too much memory,
 * and keeps the picture on Bull Board.
 */
export function createTending(node: string) {
  const wedged = createSilence()
  const shownAt = new WeakMap<Run, number>()

  /** @param isReady whether Redis takes the picture: writes for one that is away would pile up */
  return function tend(runs: readonly Run[], commons: Iterable<CommonChild>, isReady: boolean): void {
    for (const { which, why } of wedged(runs, commons)) which.kill(why)
    for (const { run, why } of tooLarge(runs)) run.kill(why)
    if (!isReady) return
    const now = performance.now()
    const shown = (run: Run) => shownAt.get(run) ?? 0
    const due = runs.filter((run) => run.started && now - shown(run) > PROGRESS_MS)
    // where there are more than can be shown in time, all have their turn
    due.sort((a, b) => shown(a) - shown(b))
    for (const run of due.slice(0, AT_ONCE)) {
      shownAt.set(run, now)
      const { status = 'started', published, received, memory_mb } = run.stats ?? {}
      const heardAt = run.child?.common?.heardAt ?? run.heardAt
      const last_beat = heardAt === undefined ? null : new Date(Date.now() - (now - heardAt)).toISOString()
      const progress = {
        status,
        node,
        pid: run.child?.pid,
        epoch: run.claimed?.epoch,
        last_beat,
        published,
        received,
        memory_mb,
      }
      run.job.updateProgress(progress).catch(() => {}) // Redis is away, or the job has ended
    }
  }
}
