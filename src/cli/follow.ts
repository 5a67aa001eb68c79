import { setTimeout as sleep } from 'node:timers/promises'
import type { EventQuery, EventStore, StoredEvent } from '../store/types.js'

const POLL_MS = 500

/** Events with an id above `after`, in batches as they come into the store, until the signal aborts. */
export async function* follow(
  store: EventStore,
  query: EventQuery,
  after: string,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent[]> {
  let last = after
  while (!signal.aborted) {
    const fresh = await store.find({ ...query, after: last, limit: 1000 })
    last = fresh.at(-1)?.id ?? last
    if (fresh.length) yield fresh
    else await sleep(POLL_MS, undefined, { signal }).catch(() => {})
  }
}
