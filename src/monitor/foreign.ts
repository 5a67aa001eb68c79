import type { Redis } from 'ioredis'
import type { RecordEvent, RepairLog } from '../fleet/reconcile.js'
import { type Foreign, readForeign, readForeignBeats, scanInfos, writeForeign } from '../redis/foreign.js'
import type { Names } from '../redis/names.js'

/** Slices of all keys that one tick looks at: so many at least, and more while they take no longer than this, ms. */
const SLICES = 5
const LOOK_MS = 20
const MOST_SLICES = 100
/**
 * Between two rounds over all keys, ms: so many times the work that the last one was, within bounds. (Not the time from
 * its beginning to its end: that is mostly the wait from tick to tick.)
 */
const REST = 100
const LEAST_PAUSE_MS = 2000
const MOST_PAUSE_MS = 30_000
/** More than these are not kept. */
const MOST = 1000
/** A heartbeat is overdue so long after its interval, ms: the ancestor's own rule. */
const SLACK_MS = 1000

/**
 * Finds the workers of the Python ancestor that beat on the same Redis, and judges them; they are never touched. Its
 * hosts' clocks don't matter: a beat counts from when it was first seen.
 */
export function createForeign({
  redis,
  names,
  log,
  record,
}: {
  redis: Redis
  names: Names
  log: RepairLog
  record: RecordEvent
}) {
  let known: Map<string, Foreign> | undefined
  let cursor = '0'
  let workedMs = 0
  let notBeforeMs = 0

  async function search(nowMs: number, all: Map<string, Foreign>, changes: Map<string, Foreign>): Promise<void> {
    if (cursor === '0' && nowMs < notBeforeMs) return
    const began = performance.now()
    const tookMs = () => performance.now() - began
    for (let i = 0; i < SLICES || (i < MOST_SLICES && tookMs() < LOOK_MS); i++) {
      const slice = await scanInfos(redis, names, cursor)
      cursor = slice.cursor
      const fresh = slice.keys.filter((key) => !isKnown(all, names, key))
      const beats = await readForeignBeats(redis, fresh)
      for (const [i, key] of fresh.entries()) {
        const who = names.parseInfo(key)
        const { beat = '', ours = true } = beats[i] ?? {}
        if (!who || ours || !beat || all.size >= MOST) continue
        const atMs = Math.min(nowMs, Math.round(Number(beat) * 1000) || nowMs)
        const entry = { ...who, key, beat, atMs, sinceMs: nowMs, told: false }
        all.set(idOf(entry), entry)
        changes.set(idOf(entry), entry)
      }
      if (cursor === '0') break
    }
    workedMs += tookMs()
    if (cursor !== '0') return
    notBeforeMs = nowMs + Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, REST * workedMs))
    workedMs = 0
  }

  async function judge(
    nowMs: number,
    all: Map<string, Foreign>,
    changes: Map<string, Foreign | undefined>,
  ): Promise<void> {
    const entries = [...all]
    const beats = await readForeignBeats(
      redis,
      entries.map(([, { key }]) => key),
    )
    for (const [i, [id, before]] of entries.entries()) {
      const { beat = '', interval = 1, ours = true } = beats[i] ?? {}
      if (!beat || ours) {
        all.delete(id)
        changes.set(id, undefined)
        continue
      }
      const after = beat === before.beat ? { ...before } : { ...before, beat, atMs: nowMs, told: false }
      const overdueMs = interval * 1000 + SLACK_MS
      if (!after.told && nowMs - after.atMs > overdueMs && nowMs - after.sinceMs > overdueMs) {
        after.told = true
        await tell(after, (nowMs - after.atMs) / 1000)
      }
      if (after.beat === before.beat && after.told === before.told) continue
      all.set(id, after)
      changes.set(id, after)
    }
  }

  async function tell({ type, nickname, key }: Foreign, seconds: number): Promise<void> {
    const message = `no heartbeat for ${seconds.toFixed(1)} s; it is no worker of ours and is left alone`
    log.warn({ foreign: nickname, of: type }, `${nickname} has disappeared: ${message}`)
    await record({
      ...{ kind: 'disappeared', severity: 'warning', type, nickname, node: '', epoch: null },
      ...{ source: 'foreign', message, data: { key }, key: '' },
    })
  }

  return {
    async tick(nowMs: number): Promise<void> {
      known ??= await readForeign(redis, names)
      const changes = new Map<string, Foreign | undefined>()
      await judge(nowMs, known, changes)
      await search(nowMs, known, changes as Map<string, Foreign>)
      await writeForeign(redis, names, changes)
    },
  }
}

const idOf = ({ type, nickname }: { type: string; nickname: string }): string => `${type}.${nickname}`

function isKnown(all: ReadonlyMap<string, Foreign>, names: Names, key: string): boolean {
  const who = names.parseInfo(key)
  return who !== undefined && all.get(idOf(who))?.key === key
}
