import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Names } from '../redis/names.js'
import { LineQueue } from './line-queue.js'
import { entriesOf, missingBetween, readEntries } from './log-stream.js'
import type { LogLine } from './views.js'

export interface LogFollower {
  /**
   * Lines of a worker's log as they are written, beginning after `after` (default: now). `dropped` is told, before the next
   * line, how many are missing there: too many came at once, or they were not taken in time.
   */
  follow(
    nickname: string,
    options: { after: After | undefined; signal: AbortSignal; dropped?: ((lines: number) => void) | undefined },
  ): AsyncIterable<LogLine>
}

/** A line, or its id, or Unix ms. Of an id alone it is not known what is missing right after it once Redis has it no more. */
export type After = string | Pick<LogLine, 'id' | 'number'>

/** Redis holds a read for so long where nothing is written, ms; one without an answer for longer is on a dead line. */
const BLOCK_MS = 5_000
const DEAD_MS = 8_000
/** What is written within so long comes together, so that reads a second are bounded where there is little. */
const TOGETHER_MS = 100
/** Lines of one log in one read. */
const COUNT = 500

interface Hearer {
  /** Lines up to this one it has. */
  last: string
  waiting: LineQueue
  wake(): void
}
interface Topic {
  /** Lines up to this one have been told. */
  last: string
  hearers: Set<Hearer>
}

/**
 * Follows any number of logs for any number of hearers by one connection and one blocking read: it costs Redis no more
 * than the lines do, and nothing while nobody follows.
 * @param of.open makes the connection that waits; it is closed when nobody follows any more
 */
export function createLogFollower(of: { redis: Redis; names: Names; open: () => Redis }): LogFollower {
  const { redis, names } = of
  const topics = new Map<string, Topic>()
  let reader: Redis | undefined
  /** The read that is under way, by the id of its connection. */
  let read: { client: number } | undefined

  /** Has a read that waits for other logs begin anew. */
  const interrupt = async () => {
    const waiting = read
    // not yet there when it is asked for at once
    while (waiting && read === waiting && !(await redis.client('UNBLOCK', waiting.client).catch(() => 1)))
      await delay(10)
  }

  const readOnce = async (connection: Redis) => {
    const client = Number(await connection.client('ID'))
    const asked = [...topics].map(([nickname, { last }]) => ({ nickname, last }))
    if (asked.length === 0) return
    read = { client }
    const dead = setTimeout(() => connection.disconnect(true), DEAD_MS)
    const keys = asked.map(({ nickname }) => names.log(nickname))
    const ids = asked.map(({ last }) => last)
    const found = await connection.xread('COUNT', COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', ...keys, ...ids).finally(() => {
      clearTimeout(dead)
      read = undefined
    })
    for (const [key, entries] of found ?? []) tell(asked[keys.indexOf(key)]?.nickname ?? '', entries)
    // where there is more, it may soon be gone
    if (found && !found.some(([, entries]) => entries.length >= COUNT)) await delay(TOGETHER_MS)
  }

  const tell = (nickname: string, entries: [id: string, fields: string[]][]) => {
    const topic = topics.get(nickname)
    if (!topic) return
    topic.last = entries.at(-1)?.[0] ?? topic.last
    const lines = entriesOf(entries)
    for (const hearer of topic.hearers) {
      hearer.waiting.push(lines)
      hearer.wake()
    }
  }

  const run = async () => {
    const connection = of.open()
    reader = connection
    while (topics.size > 0) await readOnce(connection).catch(() => delay(TOGETHER_MS))
    reader = undefined
    connection.disconnect()
  }

  const join = (nickname: string, after: string, hearer: Hearer) => {
    const topic = topics.get(nickname)
    if (topic) topic.hearers.add(hearer)
    else {
      topics.set(nickname, { last: after, hearers: new Set([hearer]) })
      if (reader) void interrupt()
      else void run()
    }
    return topic !== undefined
  }
  const leave = (nickname: string, hearer: Hearer) => {
    const topic = topics.get(nickname)
    topic?.hearers.delete(hearer)
    if (topic?.hearers.size !== 0) return
    topics.delete(nickname)
    void interrupt()
  }

  return {
    async *follow(nickname, { after, signal, dropped }) {
      const hearer: Hearer = { last: '', waiting: new LineQueue(), wake: () => {} }
      const onAbort = () => hearer.wake()
      signal.addEventListener('abort', onAbort)
      const begin = await beginOf(redis, names, nickname, after)
      hearer.last = begin.id
      let { number } = begin
      const late = !signal.aborted && join(nickname, hearer.last, hearer)
      try {
        // others follow it already and may be further
        if (late) hearer.waiting.unshift(await readEntries(redis, names, nickname, `(${hearer.last}`, '+'))
        while (!signal.aborted) {
          const next = hearer.waiting.take()
          if (next && isLater(next.line.id, hearer.last)) {
            const missing = missingBetween(number, next.line.number)
            number = next.line.number
            hearer.last = next.line.id
            if (missing) dropped?.(missing)
            yield next.line
          } else if (!next) {
            await new Promise<void>((resolve) => {
              hearer.wake = resolve
              if (hearer.waiting.length || signal.aborted) resolve()
            })
          }
        }
      } finally {
        signal.removeEventListener('abort', onAbort)
        leave(nickname, hearer)
      }
    },
  }
}

/** The line after which is followed, with its number where Redis still has it. */
async function beginOf(redis: Redis, names: Names, nickname: string, after: After | undefined) {
  if (typeof after === 'object') return after
  const [line] =
    after === undefined
      ? entriesOf(await redis.xrevrange(names.log(nickname), '+', '-', 'COUNT', 1))
      : isLineId(after)
        ? await readEntries(redis, names, nickname, after, after).catch(() => [])
        : []
  return { id: after ?? line?.line.id ?? '0-0', number: line?.line.number }
}

/** Or else a time. */
const isLineId = (after: string): boolean => after.includes('-') && after !== '0-0'

/** Ids are `<Unix ms>-<number>`. */
function isLater(id: string, than: string): boolean {
  const [a = 0, b = 0] = id.split('-').map(Number)
  const [c = 0, d = 0] = than.split('-').map(Number)
  return a > c || (a === c && b > d)
}
