import type { Redis } from 'ioredis'
import type { Queues } from '../fleet/queues.js'
import { type Names, schedulerIdOf } from '../redis/names.js'
import { keepKind } from '../redis/queue-scripts.js'
import type { CatalogEntry } from './catalog.js'
import type { WorkerJobHandle } from './runner.js'

/** Whether a job is a tick of what has no ticks any more: the file was edited to a long-running processor since. */
export function isOutgrown({ manifest }: CatalogEntry, { id = '' }: WorkerJobHandle): boolean {
  return manifest !== undefined && manifest.kind !== 'repeatable' && id.startsWith('repeat:')
}

/**
 * Gives a worker a job in the place of its scheduler, which would begin one run after the other. May be called again, also at
 * once and by several nodes: what is there already stays.
 */
export async function refit(
  { redis, names, queues }: { redis: Redis; names: Names; queues: Queues },
  { type, manifest }: CatalogEntry,
  { nickname, revision }: WorkerJobHandle['data'],
): Promise<void> {
  const kind = manifest?.kind ?? 'long-running'
  await queues.get(type).removeJobScheduler(schedulerIdOf(nickname))
  await keepKind(redis, names, nickname, revision, kind)
  await queues.addWorker({ type, nickname, revision, kind, every: null, cron: null, timezone: null })
}
