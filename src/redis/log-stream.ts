import type { Redis } from 'ioredis'
import type { Names } from './names.js'

/** Lines of each worker that the stream keeps, about. */
export const STREAM_LINES = 1000

/** Appends lines (JSON) to the log streams of workers, in order. */
export async function appendLogs(
  redis: Redis,
  names: Names,
  lines: readonly { nickname: string; text: string }[],
): Promise<void> {
  const pipeline = redis.pipeline()
  for (const { nickname, text } of lines)
    pipeline.xadd(names.log(nickname), 'MAXLEN', '~', STREAM_LINES, '*', 'l', text)
  const replies = (await pipeline.exec()) ?? []
  for (const [error] of replies) if (error) throw error
}
