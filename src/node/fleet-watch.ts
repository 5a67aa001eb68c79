import type { Redis } from 'ioredis'
import { readWantedHashes } from '../fleet/fleet.js'
import type { Names } from '../redis/names.js'
import { type FleetState, readFleetState, type WorkerHash } from '../redis/restore-scripts.js'
import type { WakeMessage } from './wake.js'

export type FleetWatch = ReturnType<typeof createFleetWatch>

export interface News {
  changed: boolean
  /** Wanted workers that Redis has lost. */
  lost?: WorkerHash[]
  /** It has lost what came last only: it came back with older data. */
  older?: boolean
}

/** Changes that were all heard of are acted on as they come; and all runs are looked at after so long, all the same, ms. */
const SWEEP_MS = 5000

/**
 * What a node knows of the wanted workers: read again only when the fleet has changed, so that an idle fleet costs one
 * call a second; and only those that have, where every change was heard of: each has the number of the fleet's version
 * that it made. Kept also for the day on which Redis comes back empty: then the nodes are all that knows the fleet.
 */
export function createFleetWatch(redis: Redis, names: Names) {
  let state: FleetState | undefined
  const wanted = new Map<string, WorkerHash>()
  const counts = new Map<string, number>()
  /** Of workers that were heard of and run here: what their node read when it took them. */
  const taken = new Map<string, WorkerHash>()
  /** Changes by the version that they made. */
  const heard = new Map<number, Change>()
  let sweptAt = Number.NEGATIVE_INFINITY
  let last: Promise<unknown> = Promise.resolve()

  const put = (nickname: string, hash: WorkerHash | undefined): void => {
    if (!hash || isRead(hash)) taken.delete(nickname)
    const before = wanted.get(nickname)?.type
    if (before !== undefined) counts.set(before, (counts.get(before) ?? 0) - 1)
    if (hash?.type === undefined) wanted.delete(nickname)
    else {
      wanted.set(nickname, hash)
      counts.set(hash.type, (counts.get(hash.type) ?? 0) + 1)
    }
  }

  const apply = ({ what, type, nickname }: Change): void => {
    if (what === 'stop') put(nickname, undefined)
    else if (what === 'start' && type && !wanted.has(nickname)) put(nickname, { type, nickname })
  }

  /** The nicknames that changed between two versions, or undefined where not all of that was heard. */
  const between = (from: number, to: number): Set<string> | undefined => {
    const nicknames = new Set<string>()
    for (let version = from + 1; version <= to; version++) {
      const change = heard.get(version)
      if (!change) return undefined
      nicknames.add(change.nickname)
    }
    return nicknames
  }

  async function look(): Promise<News> {
    const before = state
    const now = await readFleetState(redis, names, before)
    const isSame = before?.generation === now.generation && before.setBack === now.setBack
    if (isSame && before.version === now.version) return swept(false)
    if (before && !isSame) {
      const older = before.generation === now.generation
      const known = [...wanted].map(([nickname, hash]) => taken.get(nickname) ?? hash).filter(isRead)
      const lost = older ? await missing(known) : known
      if (lost.length || older) {
        state = { ...now, ...(older && { version: 0 }) } // what is there is older than what was read: read it all anew
        heard.clear()
        return { changed: true, lost, older }
      }
    }
    const some = isSame ? between(before.version, now.version) : undefined
    const read = some ? await readSome([...some]) : await readWantedHashes(redis, names)
    // data that was lost while it was read must not be taken for an empty fleet
    const then = await readFleetState(redis, names, now)
    if (then.generation !== now.generation || then.setBack !== now.setBack) return { changed: false }
    state = now
    for (const nickname of some ?? [...wanted.keys()]) put(nickname, undefined)
    for (const hash of read) if (hash.nickname) put(hash.nickname, hash)
    for (const [version, change] of heard) {
      if (version <= now.version) heard.delete(version)
      else apply(change) // it came while that was read
    }
    dirty = true
    return swept(!some)
  }

  let dirty = false
  /** Whether the node is to look at all its runs. */
  const swept = (missed: boolean): News => {
    if (!missed && !(dirty && performance.now() - sweptAt > SWEEP_MS)) return { changed: false }
    dirty = false
    sweptAt = performance.now()
    return { changed: true }
  }

  async function missing(hashes: readonly WorkerHash[]): Promise<WorkerHash[]> {
    const there = await Promise.all(hashes.map(({ nickname = '' }) => redis.exists(names.worker(nickname))))
    return hashes.filter((_, i) => !there[i])
  }

  async function readSome(nicknames: readonly string[]): Promise<WorkerHash[]> {
    const hashes = await Promise.all(nicknames.map((nickname) => redis.hgetall(names.worker(nickname))))
    return hashes.filter((hash) => hash.type && hash.wanted === '1')
  }

  return {
    /** Wanted workers by type, for the fair share. Repeatable ones count too: each keeps a child somewhere. */
    counts: (): ReadonlyMap<string, number> => counts,

    /** A worker is about to run here: should Redis lose its data before it is read again, this is what is put back. */
    take(hash: WorkerHash): void {
      const known = wanted.get(hash.nickname ?? '')
      if (hash.nickname && !(known && isRead(known))) taken.set(hash.nickname, hash)
    },

    /** A change as it is told by whoever made it: it counts at once, and is read at the next look. */
    hear({ nickname, version, ...rest }: WakeMessage): void {
      if (!nickname || version === undefined || (state && version <= state.version)) return
      const change = { nickname, ...rest }
      heard.set(version, change)
      apply(change)
    },

    /**
     * One look at a time, so that an older one never overwrites a newer.
     * @returns `changed`: look again at your runs. `lost`: Redis has lost data; these workers were wanted before.
     */
    refresh(): Promise<News> {
      const turn = last.then(look)
      last = turn.catch(() => {})
      return turn
    },
  }
}

type Change = WakeMessage & { nickname: string }

/** Not only heard of. */
const isRead = (hash: WorkerHash): boolean => hash.revision !== undefined
