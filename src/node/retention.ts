import type { Logger } from '../log.js'
import type { EventStore } from '../store/types.js'

const DAY_MS = 86_400_000
/** How often old events are looked for, ms. Every node does: what is gone is gone. */
export const PRUNE_MS = 3_600_000

/** Removes events that are older than `keepDays`; 0 keeps all. */
export async function pruneEvents(open: () => Promise<EventStore>, keepDays: number, log: Logger): Promise<void> {
  if (keepDays === 0) return
  const store = await open()
  try {
    const removed = await store.prune(Date.now() - keepDays * DAY_MS)
    if (removed) log.info({ removed, keepDays }, 'old events were removed')
  } finally {
    await store.close()
  }
}
