import type { Run } from './run.js'

/** How often a job's progress on Bull Board is refreshed, ms. */
const PROGRESS_MS = 5000
/** Jobs refreshed in one turn: ten thousand workers must not become ten thousand writes at once. */
const AT_ONCE = 100

/** What a node does for its runs every second besides keeping them: limits, and the picture on Bull Board. */
export function createTending(node: string) {
  const shownAt = new WeakMap<Run, number>()

  return function tend(runs: readonly Run[]): void {
    for (const run of runs) enforceMemory(run)
    const now = performance.now()
    const due = runs.filter((run) => run.started && now - (shownAt.get(run) ?? 0) > PROGRESS_MS)
    for (const run of due.slice(0, AT_ONCE)) {
      shownAt.set(run, now)
      const { status = 'started', published, received, memory_mb } = run.stats ?? {}
      const last_beat = run.heardAt === undefined ? null : new Date(Date.now() - (now - run.heardAt)).toISOString()
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

/** A worker that takes more than its processor allows is ended, and comes back. */
function enforceMemory(run: Run): void {
  const limit = run.entry.manifest?.maxMemoryMb
  const used = run.stats?.memory_mb
  if (limit && used && used > limit && !run.ending)
    run.kill(`it took ${Math.round(used)} MB of memory; ${limit} MB are allowed`)
}
