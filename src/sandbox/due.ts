import type { StartMessage } from '../protocol.js'

/** Unix ms at which a tick was due: the last part of the id that BullMQ's scheduler gives it. */
export function dueOf({ job }: StartMessage): number | undefined {
  const due = Number(job.id.split(':').at(-1))
  return Number.isSafeInteger(due) && due > 1e12 ? due : undefined
}

/** Ticks of a fixed period that should have been between two that were, but for those that were `skipped` meanwhile. */
export function missedBetween(
  before: number | undefined,
  due: number | undefined,
  skipped: number,
  { job }: StartMessage,
): number {
  const every = (job.opts?.repeat as { every?: unknown } | undefined)?.every
  if (before === undefined || due === undefined || typeof every !== 'number' || every <= 0) return 0
  return Math.max(0, Math.round((due - before) / every) - 1 - Math.max(0, skipped)) // fewer where Redis lost its data
}
