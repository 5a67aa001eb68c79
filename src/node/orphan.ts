/** A run whose job Redis has lost is ended when the fleet has not been put back by then, ms. */
const ORPHAN_MS = 12_000

/**
 * Why a run whose lock is lost is to be killed now; undefined where it may wait.
 * @param run.orphanedAt since when its job is gone because Redis lost its data; like `nowMs` by the monotonic clock, ms
 */
export function whyLost({ orphanedAt }: { orphanedAt?: number | undefined }, nowMs: number): string | undefined {
  if (orphanedAt === undefined) return 'its job was given to another node'
  return nowMs - orphanedAt > ORPHAN_MS ? 'Redis lost its job' : undefined
}
