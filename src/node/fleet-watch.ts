import type { Redis } from 'ioredis'
import { readWantedHashes } from '../fleet/fleet.js'
import type { Names } from '../redis/names.js'
import { type FleetState, readFleetState, type WorkerHash } from '../redis/restore-scripts.js'

export type FleetWatch = ReturnType<typeof createFleetWatch>

export interface News {
  changed: boolean
  lost?: WorkerHash[]
}

/**
 * What a node knows of the wanted workers: read again only when the fleet has changed, so that an idle fleet costs one
 * call a second. Kept also for the day on which Redis comes back empty: then the nodes are all that knows the fleet.
 */
export function createFleetWatch(redis: Redis, names: Names) {
  let state: FleetState | undefined
  let hashes: WorkerHash[] = []
  let counts = new Map<string, number>()
  let last: Promise<unknown> = Promise.resolve()

  const take = (read: WorkerHash[]): void => {
    hashes = read
    counts = new Map()
    for (const { type = '' } of read) counts.set(type, (counts.get(type) ?? 0) + 1)
  }

  async function look(): Promise<News> {
    const now = await readFleetState(redis, names, (state?.version ?? 0) + 1)
    const before = state
    if (before?.generation === now.generation && before.version === now.version) return { changed: false }
    if (before && before.generation !== now.generation && hashes.length) {
      state = now
      return { changed: true, lost: hashes }
    }
    const read = await readWantedHashes(redis, names)
    // data that was lost while it was read must not be taken for an empty fleet
    if ((await readFleetState(redis, names, now.version + 1)).generation !== now.generation) return { changed: false }
    state = now
    take(read)
    return { changed: true }
  }

  return {
    /** Wanted workers by type, for the fair share. Repeatable ones count too: each keeps a child somewhere. */
    counts: (): ReadonlyMap<string, number> => counts,

    /**
     * One look at a time, so that an older one never overwrites a newer.
     * @returns `changed`: look again at your runs. `lost`: Redis has lost its data; these workers were wanted before.
     */
    refresh(): Promise<News> {
      const turn = last.then(look)
      last = turn.catch(() => {})
      return turn
    },
  }
}
