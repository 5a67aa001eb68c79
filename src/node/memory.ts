import { readFileSync } from 'node:fs'
import type { Run } from './run.js'

/** A child watches its own limit, and ends in order; beyond this part above it the node ends it. */
const MARGIN = 1.25
/** Linux on all that Node runs on, but for rare builds of the kernel; a larger page makes the limit the looser. */
const PAGE_BYTES = 4096

/**
 * Tells runs whose child takes far more memory than its processor's `maxMemoryMb`: one that leaks without ever coming
 * back to its event loop can't watch itself. Where there is no /proc, that is not seen.
 */
export function tooLarge(runs: readonly Run[]): { run: Run; why: string }[] {
  return runs.flatMap((run) => {
    const limit = run.entry.manifest?.maxMemoryMb
    if (!limit || !run.child || run.child.common) return []
    const mb = residentMb(run.child.pid)
    if (mb <= limit * MARGIN) return []
    return [{ run, why: `its process took ${Math.round(mb)} MB of memory, more than its ${limit} MB` }]
  })
}

function residentMb(pid: number): number {
  try {
    const [, pages] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')
    return (Number(pages) * PAGE_BYTES) / 2 ** 20
  } catch {
    return 0 // gone, or not known here
  }
}
