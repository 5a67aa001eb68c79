import type { Redis } from 'ioredis'
import { type Mark, publishMark } from '../redis/loss-scripts.js'
import type { Names } from '../redis/names.js'
import type { Tuned } from './source.js'
import { uniqueId } from './unique-id.js'

/** How often what has come is compared with what was published, while something comes, ms. */
const COMPARE_MS = 5000
/** A mark that nobody heard, the subscription being on its way back, is repeated so much later, ms; and so at most. */
const REPEAT_MS = 20
const REPEAT_AT_MOST_MS = 1000

/** One channel. */
export interface Tally {
  /** What the counter said at the last mark; undefined before the first that tells of it. */
  counted: number | undefined
  /** Messages that came since. */
  heard: number
}

export type OnLost = (lost: ReadonlyMap<string, number>) => void

export interface Losses {
  /** The channel on which the marks come: to be subscribed to on the same connection as all else. */
  readonly channel: string
  /** Where to count the messages that come on a channel, or undefined where they are not to be compared. */
  tallyOf(channel: string): Tally | undefined
  /**
   * Redis has confirmed the subscription: losses are counted from the next mark on, and told to `onLost`.
   * @returns what ends that
   */
  watch(tuned: Tuned, onLost: OnLost): () => void
  /** A message has come on the channel of the marks. */
  take(raw: string): void
  /** Compares everything as soon as possible: the connection was lost and is back. */
  compare(): void
  close(): void
}

interface Member {
  onLost: OnLost
  /** The first mark that was asked for after the subscription had been confirmed. */
  from: number
  /** One has come: channels of it that no mark has told of yet have published nothing before. */
  begun: boolean
}

/** A channel or pattern, with all who hear it. */
interface Group {
  tuned: Tuned
  members: Set<Member>
}

/**
 * Counts exactly what was published by workers and never came. Redis drops messages only for who is cut off, and then
 * says nothing. But the script that publishes also counts; and a mark, published by a script on a channel of our own,
 * brings the counters as of its place in the one order in which Redis delivers to a connection. Between two marks that
 * came, what the counters rose by and what came must be the same.
 *
 * What other clients publish with plain PUBLISH is not in the counters: where more came than was counted, nothing is
 * judged to be lost. So it is with a channel that has no counter, as there are too many: it counts as one at 0, and a
 * counter that it gets later counts from then on.
 */
export function createLosses(of: { names: Names; redis: Redis }): Losses {
  const { names, redis } = of
  const channel = names.mark(uniqueId())
  const byChannel = new Map<string, Group>()
  const byPattern = new Map<string, Group>()
  const tallies = new Map<string, Tally>()
  /** Of which groups each mark under way tells. */
  const scopes = new Map<number, ReadonlySet<Group>>()
  let due = new Set<Group>()
  let asked = 0
  let arrived = 0
  let asking = false
  let closed = false
  let timer: NodeJS.Timeout | undefined

  const all = () => [...byChannel.values(), ...byPattern.values()]
  const isWatched = ({ tuned, members }: Group) =>
    members.size > 0 && (tuned.isPattern ? byPattern : byChannel).has(tuned.name)
  const groupsOf = (name: string): Group[] => {
    const exact = byChannel.get(name)
    const found = exact ? [exact] : []
    for (const group of byPattern.values()) if (group.tuned.matches(name)) found.push(group)
    return found
  }

  const ask = async () => {
    if (asking) return
    asking = true
    for (let pauseMs = REPEAT_MS; due.size && !closed; ) {
      await new Promise((resolve) => setImmediate(resolve)) // subscriptions are confirmed several at a time
      const scope = new Set([...due].filter(isWatched))
      due = new Set()
      if (!scope.size) continue
      scopes.set(++asked, scope)
      const heardBy = await publishMark(redis, names, channel, asked, countedOf(scope)).catch(() => 0)
      if (heardBy > 0 || closed) continue
      for (const group of scope) due.add(group)
      await new Promise((resolve) => setTimeout(resolve, pauseMs).unref())
      pauseMs = Math.min(REPEAT_AT_MOST_MS, pauseMs * 2)
    }
    asking = false
  }

  const compare = (groups: Iterable<Group>) => {
    for (const group of groups) due.add(group)
    void ask()
  }

  const look = () => {
    if (asking) return
    if (arrived < asked) return compare(all())
    for (const [name, { heard }] of tallies) if (heard > 0) for (const group of groupsOf(name)) due.add(group)
    if (due.size) void ask()
  }

  const tallyOf = (name: string): Tally => {
    const known = tallies.get(name)
    if (known) return known
    const made = { counted: undefined, heard: 0 }
    tallies.set(name, made)
    return made
  }

  /** The channels of which a mark tells: also those that have published nothing. */
  const namesIn = (scope: ReadonlySet<Group>, counts: Mark['counts']): Set<string> => {
    const found = new Set(Object.keys(counts))
    for (const { tuned } of scope) if (!tuned.isPattern) found.add(tuned.name)
    const patterns = [...scope].filter(({ tuned }) => tuned.isPattern)
    if (patterns.length) {
      for (const name of tallies.keys()) if (patterns.some(({ tuned }) => tuned.matches(name))) found.add(name)
    }
    return found
  }

  const judge = ({ n, counts }: Mark, scope: ReadonlySet<Group>) => {
    const lost = new Map<OnLost, Map<string, number>>()
    for (const name of namesIn(scope, counts)) {
      const members = groupsOf(name).flatMap((group) => [...group.members])
      if (members.length === 0) continue
      const tally = tallyOf(name)
      const now = Number(counts[name] ?? 0)
      const begun = members.filter((member) => member.begun)
      const before = tally.counted ?? (begun.length ? 0 : undefined)
      if (before !== undefined) {
        // a counter that has fallen began anew, with a Redis that lost its data
        const missing = (now < before ? now : now - before) - tally.heard
        if (missing > 0) for (const { onLost } of begun) mapOf(lost, onLost).set(name, missing)
      }
      tally.counted = now
      tally.heard = 0
    }
    for (const { members } of scope) for (const member of members) member.begun ||= member.from <= n
    for (const [onLost, by] of lost) onLost(by)
  }

  const unwatch = (group: Group, member: Member) => {
    const { tuned, members } = group
    members.delete(member)
    const groups = tuned.isPattern ? byPattern : byChannel
    if (members.size > 0 || groups.get(tuned.name) !== group) return
    groups.delete(tuned.name)
    for (const name of tuned.isPattern ? tallies.keys() : [tuned.name]) {
      if (groupsOf(name).length === 0) tallies.delete(name)
    }
  }

  return {
    channel,
    tallyOf: (name) => (groupsOf(name).length ? tallyOf(name) : undefined),
    watch(tuned, onLost) {
      const groups = tuned.isPattern ? byPattern : byChannel
      const group = groups.get(tuned.name) ?? { tuned, members: new Set() }
      groups.set(tuned.name, group)
      const member: Member = { onLost, from: asked + 1, begun: false }
      group.members.add(member)
      timer ??= setInterval(look, COMPARE_MS).unref()
      compare([group])
      return () => unwatch(group, member)
    },
    take(raw) {
      const mark = parsed(raw)
      const scope = mark && scopes.get(mark.n)
      if (!scope || mark.n <= arrived) return
      arrived = mark.n
      for (const n of scopes.keys()) if (n <= arrived) scopes.delete(n)
      judge(mark, scope)
    },
    compare: () => compare(all()),
    close() {
      closed = true
      clearInterval(timer)
    },
  }
}

function countedOf(scope: ReadonlySet<Group>) {
  const tuneds = [...scope].map(({ tuned }) => tuned)
  return {
    channels: tuneds.flatMap(({ name, isPattern }) => (isPattern ? [] : [name])),
    types: tuneds.flatMap(({ type }) => type ?? []),
    nicknames: tuneds.flatMap(({ nickname }) => nickname ?? []),
  }
}

function mapOf(lost: Map<OnLost, Map<string, number>>, onLost: OnLost): Map<string, number> {
  const known = lost.get(onLost)
  if (known) return known
  const made = new Map<string, number>()
  lost.set(onLost, made)
  return made
}

function parsed(raw: string): Mark | undefined {
  try {
    const { n, counts } = JSON.parse(raw) as Partial<Mark>
    return typeof n === 'number' && typeof counts === 'object' ? { n, counts } : undefined
  } catch {
    return undefined
  }
}
