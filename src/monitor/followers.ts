import type { Redis } from 'ioredis'
import { type Hearing, readHearings, writeFollowers } from '../redis/monitor-upkeep.js'
import type { Names } from '../redis/names.js'

/** Everything is read anew so often, ms; and sooner, but not more often than AFTER_CHANGE_MS, where the fleet changed. */
const EVERY_MS = 10_000
const AFTER_CHANGE_MS = 2000
/** So long after a change a run may still be about to say what it hears. */
const UNSETTLED_MS = 4000

/** Keeps `follower` of the Info hashes: who hears whom, from what each run says that it hears. */
export function createFollowers(redis: Redis, names: Names) {
  let lastMark = ''
  let changedMs = 0
  let doneMs = Number.NEGATIVE_INFINITY
  return {
    /** @param mark differs from the last one when the fleet changed. @returns how many Info hashes were changed */
    async refresh(nowMs: number, mark: string): Promise<number> {
      if (mark !== lastMark) changedMs = nowMs
      lastMark = mark
      const unsettled = nowMs - changedMs < UNSETTLED_MS
      if (nowMs - doneMs < (unsettled ? AFTER_CHANGE_MS : EVERY_MS)) return 0
      doneMs = nowMs
      const hearings = await readHearings(redis, names)
      const changed = changedFollowers(names, hearings)
      await writeFollowers(redis, names, changed)
      return changed.length
    },
  }
}

/** The runs whose `follower` is not what it should be, with what it should be. Pure. */
export function changedFollowers(names: Names, hearings: readonly Hearing[]) {
  const followers = deriveFollowers(names, hearings)
  return hearings.flatMap((hearing, i) => {
    const follower = JSON.stringify([...(followers[i] ?? [])].sort())
    const unchanged = follower === hearing.follower || (follower === '[]' && !hearing.follower)
    return unchanged ? [] : [{ type: hearing.type, nickname: hearing.nickname, follower }]
  })
}

/** For each run the nicknames that hear its Pub channel. */
export function deriveFollowers(names: Names, hearings: readonly Hearing[]): Set<string>[] {
  const followers = hearings.map(() => new Set<string>())
  const byChannel = indexOf(hearings, ({ type, nickname }) => names.pub(type, nickname))
  const byPattern = indexOf(hearings, ({ type }) => names.pubPattern(type))
  for (const [pattern, of] of indexOf(hearings, ({ nickname }) => names.pubPattern('*', nickname)))
    byPattern.set(pattern, of)
  byPattern.set(names.pubPattern(), [...hearings.keys()])
  const channels = [...byChannel.keys()]
  for (const { nickname, dataFeeder } of hearings) {
    for (const heard of listOf(dataFeeder)) {
      let runs = byChannel.get(heard) ?? byPattern.get(heard)
      if (!runs && /[*?[]/.test(heard)) {
        const glob = globOf(heard)
        runs = channels.flatMap((channel) => (glob.test(channel) ? (byChannel.get(channel) ?? []) : []))
        byPattern.set(heard, runs)
      }
      for (const run of runs ?? []) followers[run]?.add(nickname)
    }
  }
  return followers
}

function indexOf(hearings: readonly Hearing[], keyOf: (hearing: Hearing) => string): Map<string, number[]> {
  const index = new Map<string, number[]>()
  for (const [i, hearing] of hearings.entries()) {
    const key = keyOf(hearing)
    const at = index.get(key)
    if (at) at.push(i)
    else index.set(key, [i])
  }
  return index
}

/** A worker writes this; whatever it wrote, others are not harmed. */
function listOf(json: string): string[] {
  try {
    const list: unknown = JSON.parse(json || '[]')
    return Array.isArray(list) ? list.filter((item) => typeof item === 'string') : []
  } catch {
    return []
  }
}

/** A pattern of Redis's PSUBSCRIBE: `*`, `?` and `[...]`, with backslash before what is meant literally. */
function globOf(pattern: string): RegExp {
  const source = pattern.replace(
    /\\(.)|\[(\^?)([^\]]*)\]|([*?])|([^*?[\\]+|[[\\])/gs,
    (_all, escaped, not, set, wild, text) => {
      if (escaped !== undefined) return literal(escaped)
      if (set !== undefined) return set === '' ? '(?!)' : `[${not}${set.replace(/[\\\]^[]/g, '\\$&')}]`
      if (wild !== undefined) return wild === '*' ? '.*' : '.'
      return literal(text)
    },
  )
  return new RegExp(`^${source}$`, 's')
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
