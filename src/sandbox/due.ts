import type { StartMessage } from '../protocol.js'

/** Unix ms at which a tick was due: the last part of the id that BullMQ's scheduler gives it. */
export function dueOf({ job }: StartMessage): number | undefined {
  const due = Number(job.id.split(':').at(-1))
  return Number.isSafeInteger(due) && due > 1e12 ? due : undefined
}

/** Ticks of a fixed period that should have been between two that were. */
export function missedBetween(before: number | undefined, due: number | undefined, { job }: StartMessage): number {
  const every = (job.opts?.repeat as { every?: unknown } | undefined)?.every
  if (before === undefined || due === undefined || typeof every !== 'number' || every <= 0) return 0
  return Math.max(0, Math.round((due - before) / every) - 1)
}
