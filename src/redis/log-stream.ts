import type { Redis } from 'ioredis'
import type { Names } from './names.js'

/** Lines of each worker that the stream keeps, about, but for a moment after a burst. */
export const STREAM_LINES = 1000

export interface AppendedLine {
  nickname: string
  /** JSON. */
  text: string
  /** `<keeper>.<n>`: consecutive for the lines of a worker that one node writes, so that who follows sees what is missing. */
  number?: string
  /** Lines that the stream keeps, about. Default 1,000. */
  keep?: number
}

/** Appends lines to the log streams of workers, in order. */
export async function appendLogs(redis: Redis, names: Names, lines: readonly AppendedLine[]): Promise<void> {
  const pipeline = redis.pipeline()
  for (const { nickname, text, number, keep = STREAM_LINES } of lines) {
    const fields = number === undefined ? ['l', text] : ['l', text, 'n', number]
    pipeline.xadd(names.log(nickname), 'MAXLEN', '~', keep, '*', ...fields)
  }
  const replies = (await pipeline.exec()) ?? []
  for (const [error] of replies) if (error) throw error
}

/** Removes the oldest lines of log streams, about down to so many. */
export async function trimLogs(
  redis: Redis,
  names: Names,
  streams: readonly { nickname: string; keep: number }[],
): Promise<void> {
  const pipeline = redis.pipeline()
  for (const { nickname, keep } of streams) pipeline.xtrim(names.log(nickname), 'MAXLEN', '~', keep, 'LIMIT', 0)
  const replies = (await pipeline.exec()) ?? []
  for (const [error] of replies) if (error) throw error
}
