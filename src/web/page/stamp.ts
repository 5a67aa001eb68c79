import type { LiveWorker } from '../picture.js'
import type { PageWorker } from './fleet.js'

/** Now, or some ms ago, by two clocks: while a computer sleeps, that of the wall goes on and the other one need not. */
export const instant = (agoMs = 0) => ({ wall: Date.now() - agoMs, running: performance.now() - agoMs })

/** A worker as it has just been told, after what was known of it. `unbroken`: it has been watched since then. */
export function stamped(worker: LiveWorker, before: PageWorker | undefined, unbroken = true): PageWorker {
  const now = performance.now()
  const beat = worker.age === null ? undefined : instant(worker.age * 1000)
  const beats = { beatAt: beat?.running ?? null, beatTime: beat?.wall ?? null }
  const flowedAt = worker.rate_in + worker.rate_out > 0 ? now : (before?.flowedAt ?? null)
  const watchedAt = unbroken && before?.epoch === worker.epoch ? before.watchedAt : now
  const times = { ...beats, flowedAt, watchedAt, lostAt: lostAtOf(worker, before) }
  return { ...worker, ...times, droppedAt: droppedAtOf(worker, before) }
}

/** A loss has its gap; that of before this page was opened, too. */
function lostAtOf({ lost, gaps }: LiveWorker, before: PageWorker | undefined): number | null {
  if (lost === 0) return null
  if (before && lost !== before.lost) return Date.now()
  const gap = gaps.at(-1)
  return before?.lostAt ?? (gap ? (gap.to === null ? Date.now() : gap.to * 1000) : null)
}

function droppedAtOf({ dropped }: LiveWorker, before: PageWorker | undefined): number | null {
  if (dropped === 0 || !before) return null
  return dropped === before.dropped ? before.droppedAt : Date.now()
}
