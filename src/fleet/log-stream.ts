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

/** Lines that Redis keeps of a worker's log (about the last 1,000), oldest first. */
export async function readLog(redis: Redis, names: Names, nickname: string, query: LogQuery = {}): Promise<LogLine[]> {
  const from = query.after ? `(${query.after}` : (query.sinceMs ?? '-')
  const entries = await redis.xrange(names.log(nickname), from, '+')
  const lines = entries.flatMap(([id, fields]) => lineOf(id, fields))
  const least = RANK[query.level ?? 'trace'] ?? 10
  const wanted = lines.filter((line) => (RANK[line.level] ?? 30) >= least)
  return query.limit === undefined ? wanted : wanted.slice(-query.limit)
}

/** The line of a stream's entry; none where it is no line of ours. */
export function lineOf(id: string, fields: readonly string[]): LogLine[] {
  try {
    const record = JSON.parse(fields[fields.indexOf('l') + 1] ?? '') as LogRecord & { stream?: string }
    const { level, time, type, nickname, epoch, msg, stream, ...rest } = record
    const word = LEVELS[level as keyof typeof LEVELS] ?? 'info'
    return [
      {
        id,
        time,
        level: word,
        type,
        nickname,
        epoch: epoch ?? null,
        msg: msg ?? '',
        stream: stream ?? 'log',
        fields: rest,
      },
    ]
  } catch {
    return [] // not a line of ours
  }
}
