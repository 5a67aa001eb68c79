import type { Redis } from 'ioredis'
import type { LogRecord } from '../protocol.js'
import type { Names } from '../redis/names.js'
import type { LogLine } from './views.js'

const LEVELS = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' } as const
const RANK: Record<string, number> = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 }

export interface LogQuery {
  /** This level and those above. */
  level?: string | undefined
  /** Unix ms. */
  sinceMs?: number | undefined
  /** Id of the last line seen: only what came after it. */
  after?: string | undefined
  /** The newest so many. */
  limit?: number | undefined
}

export interface Entry {
  line: LogLine
  /** Characters of its text. */
  size: number
}

/** Lines that Redis keeps of a worker's log (about the last 1,000), oldest first. */
export async function readLog(redis: Redis, names: Names, nickname: string, query: LogQuery = {}): Promise<LogLine[]> {
  const from = query.after ? `(${query.after}` : (query.sinceMs ?? '-')
  // right after a burst there are many more than are wanted
  const last = query.level || !query.limit ? undefined : query.limit
  const lines = (await readEntries(redis, names, nickname, from, '+', last)).map(({ line }) => line)
  const least = RANK[query.level ?? 'trace'] ?? 10
  const wanted = lines.filter((line) => (RANK[line.level] ?? 30) >= least)
  return query.limit === undefined ? wanted : wanted.slice(-query.limit)
}

/** Entries between two ids, oldest first; the last so many. */
export async function readEntries(
  redis: Redis,
  names: Names,
  nickname: string,
  from: string | number,
  to: string,
  last?: number,
): Promise<Entry[]> {
  const key = names.log(nickname)
  if (last === undefined) return entriesOf(await redis.xrange(key, from, to))
  return entriesOf((await redis.xrevrange(key, to, from, 'COUNT', last)).reverse())
}

/** What the entries of a stream are, but those that are no lines of ours. */
export function entriesOf(entries: readonly (readonly [id: string, fields: readonly string[]])[]): Entry[] {
  return entries.flatMap(([id, fields]) => {
    const line = lineOf(id, fields)
    return line ? [{ line, size: fields[1]?.length ?? 0 }] : []
  })
}

/** Lines that are missing between two, by their numbers; 0 where that can't be known: another node wrote the next. */
export function missingBetween(before: string | undefined, next: string | undefined): number {
  const [keeper, last] = (before ?? '').split('.')
  const [nextKeeper, number] = (next ?? '').split('.')
  return keeper && keeper === nextKeeper ? Math.max(0, Number(number) - Number(last) - 1) : 0
}

function lineOf(id: string, fields: readonly string[]): LogLine | undefined {
  try {
    const record = JSON.parse(fields[fields.indexOf('l') + 1] ?? '') as LogRecord & { stream?: string }
    const { level, time, type, nickname, epoch, msg, stream, ...rest } = record
    const word = LEVELS[level as keyof typeof LEVELS] ?? 'info'
    // the fields stand in the order in which they are written
    const number = fields[2] === 'n' ? fields[3] : undefined
    return {
      id,
      ...(number !== undefined && { number }),
      time,
      level: word,
      type,
      nickname,
      epoch: epoch ?? null,
      msg: msg ?? '',
      stream: stream ?? 'log',
      fields: rest,
    }
  } catch {
    return undefined // not a line of ours
  }
}
