import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { type Mark, publishMark } from '../redis/loss-scripts.js'
import type { Names } from '../redis/names.js'
import type { Tuned } from './source.js'

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

export interface Losses {
  /** The channel on which the marks come: to be subscribed to on the same connection as all else. */
  readonly channel: string
  /** Where to count the messages that come on a channel, or undefined where they are not to be compared. */
  tallyOf(channel: string): Tally | undefined
  /** Redis has confirmed the subscription: losses are counted from the next mark on. @returns what ends that */
  watch(tuned: Tuned): () => void
  /** A message has come on the channel of the marks. */
  take(raw: string): void
  /** Compares as soon as possible: the connection was lost and is back. */
  compare(): void
  close(): void
}

interface Watched {
  tuned: Tuned
  /** The first mark that was asked for after the subscription had been confirmed. */
  from: number
  /** One has come: channels of it that no mark has told of yet have published nothing before. */
  begun: boolean
}

/**
 * Counts exactly what was published by workers and never came. Redis drops messages only for who is cut off, and then
 * says nothing. But the script that publishes also counts; and a mark, published by a script on a channel of our own,
 * brings the counters as of its place in the one order in which Redis delivers to a connection. Between two marks that
 * came, what the counters rose by and what came must be the same.
 *
 * What other clients publish with plain PUBLISH is not in the counters: where more came than was counted, nothing is
 * judged to be lost.
 */
export function createLosses(of: {
  names: Names
  redis: Redis
  onLost: (lost: ReadonlyMap<string, number>) => void
}): Losses {
  const { names, redis } = of
  const channel = names.mark(randomUUID())
  const watched = new Set<Watched>()
  const tallies = new Map<string, Tally>()
  let asked = 0
  let arrived = 0
  let due = false
  let asking = false
  let closed = false
  let timer: NodeJS.Timeout | undefined

  const counted = () => {
    const tuneds = [...watched].map(({ tuned }) => tuned)
    return {
      channels: tuneds.flatMap(({ name, isPattern }) => (isPattern ? [] : [name])),
      types: tuneds.flatMap(({ type }) => type ?? []),
      nicknames: tuneds.flatMap(({ nickname }) => nickname ?? []),
    }
  }

  const ask = async () => {
    if (asking) return
    asking = true
    for (let pauseMs = REPEAT_MS; due && !closed && watched.size; ) {
      await new Promise((resolve) => setImmediate(resolve)) // subscriptions are confirmed several at a time
      due = false
      const heardBy = await publishMark(redis, names, channel, ++asked, counted()).catch(() => 0)
      if (heardBy > 0 || closed) continue
      due = true
      await new Promise((resolve) => setTimeout(resolve, pauseMs).unref())
      pauseMs = Math.min(REPEAT_AT_MOST_MS, pauseMs * 2)
    }
    asking = false
  }

  const compare = () => {
    due = true
    void ask()
  }

  const look = () => {
    const something = arrived < asked || [...tallies.values()].some(({ heard }) => heard > 0)
    if (something && !asking) compare()
  }

  const tallyOf = (name: string): Tally => {
    const known = tallies.get(name)
    if (known) return known
    const made = { counted: undefined, heard: 0 }
    tallies.set(name, made)
    return made
  }

  const judge = ({ n, counts }: Mark) => {
    const present = [...watched].filter(({ from }) => from <= n)
    const named = present.flatMap(({ tuned }) => (tuned.isPattern ? [] : [tuned.name]))
    const lost = new Map<string, number>()
    for (const name of new Set([...named, ...Object.keys(counts), ...tallies.keys()])) {
      const heardBy = present.filter(({ tuned }) => tuned.matches(name))
      if (heardBy.length === 0) continue
      const tally = tallyOf(name)
      const now = Number(counts[name] ?? 0)
      const before = tally.counted ?? (heardBy.some(({ begun }) => begun) ? 0 : undefined)
      if (before !== undefined) {
        // a counter that has fallen began anew, with a Redis that lost its data
        const missing = (now < before ? now : now - before) - tally.heard
        if (missing > 0) lost.set(name, missing)
      }
      tally.counted = now
      tally.heard = 0
    }
    for (const one of present) one.begun = true
    if (lost.size) of.onLost(lost)
  }

  return {
    channel,
    tallyOf: (name) => ([...watched].some(({ tuned }) => tuned.matches(name)) ? tallyOf(name) : undefined),
    watch(tuned) {
      const one: Watched = { tuned, from: asked + 1, begun: false }
      watched.add(one)
      timer ??= setInterval(look, COMPARE_MS).unref()
      compare()
      return () => {
        watched.delete(one)
        for (const name of tallies.keys()) {
          if (![...watched].some((other) => other.tuned.matches(name))) tallies.delete(name)
        }
      }
    },
    take(raw) {
      const mark = parsed(raw)
      if (!mark || mark.n <= arrived) return
      arrived = mark.n
      judge(mark)
    },
    compare() {
      if (watched.size) compare()
    },
    close() {
      closed = true
      clearInterval(timer)
    },
  }
}

function parsed(raw: string): Mark | undefined {
  try {
    const { n, counts } = JSON.parse(raw) as Partial<Mark>
    return typeof n === 'number' && typeof counts === 'object' ? { n, counts } : undefined
  } catch {
    return undefined
  }
}
