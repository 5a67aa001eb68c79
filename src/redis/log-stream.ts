import type { Redis } from 'ioredis'
import type { Names } from './names.js'

/** Lines of each worker that the stream keeps, about. */
export const STREAM_LINES = 1000

export interface AppendedLine {
  nickname: string
  /** JSON. */
  text: string
  /** `<keeper>.<n>`: consecutive for the lines of a worker that one node writes, so that who follows sees what is missing. */
  number?: string
}

/** Appends lines to the log streams of workers, in order. */
export async function appendLogs(redis: Redis, names: Names, lines: readonly AppendedLine[]): Promise<void> {
  const pipeline = redis.pipeline()
  for (const { nickname, text, number } of lines) {
    const fields = number === undefined ? ['l', text] : ['l', text, 'n', number]
    pipeline.xadd(names.log(nickname), 'MAXLEN', '~', STREAM_LINES, '*', ...fields)
  }
  const replies = (await pipeline.exec()) ?? []
  for (const [error] of replies) if (error) throw error
}
