import type { Redis } from 'ioredis'
import { appendLogs, trimLogs } from '../redis/log-stream.js'
import type { Names } from '../redis/names.js'
import { Backlog, type Waiting } from './log-backlog.js'
import { LogBursts } from './log-bursts.js'
import { createLogFiles } from './log-files.js'
import { type LoggedWorker, type LogSource, recordOf } from './log-lines.js'

export interface LogKeeperOptions {
  dir: string
  redis: Redis
  names: Names
  log: { warn(fields: object, message: string): void }
  /** Size at which a worker's file is put aside. Default 5 MB. */
  maxBytes?: number
  /** Files of one worker. Default 3. */
  files?: number
}

export type LogKeeper = ReturnType<typeof createLogKeeper>

const FLUSH_MS = 200
/** So much in memory is written at once, without waiting for the timer. */
const FLUSH_BYTES = 1_000_000
/** Most that waits for a disk that is too slow, and for a Redis that is away. */
const FILE_BYTES = 32_000_000
const STREAM_BYTES = 16_000_000
/** Lines of one worker that may wait for Redis. */
const BACKLOG_LINES = 25_000
const TRIM_MS = 1000
/** Lines in one pipeline. */
const BATCH = 500
const WARN_EVERY_MS = 30_000
/** `flush` and `close` do not wait longer for Redis. */
const REDIS_PATIENCE_MS = 2000

/**
 * Keeps what workers log and print: in files of bounded size, which outlive child, node and Redis, and the last lines in
 * a capped Redis stream, which can be read from anywhere.
 */
export function createLogKeeper(options: LogKeeperOptions) {
  const { dir, redis, names, log, maxBytes = 5_000_000, files: count = 3 } = options
  const files = createLogFiles({ dir, maxBytes, files: count })
  const forFiles = new Backlog()
  const forStream = new Backlog()
  const warned = { file: Number.NEGATIVE_INFINITY, stream: Number.NEGATIVE_INFINITY }
  const bursts = new LogBursts()
  let lost = 0
  let trimming: NodeJS.Timeout | undefined
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let sending: Promise<void> | undefined
  let closed = false

  function schedule(): void {
    if (closed) return
    const urgent = forFiles.bytes > FLUSH_BYTES && !writing
    if (urgent) void write()
    timer ??= setTimeout(() => {
      timer = undefined
      void write()
      void send()
    }, FLUSH_MS).unref()
  }

  /** One writing at a time; what comes meanwhile is written right after. Never rejects. */
  function write(): Promise<void> {
    writing ??= writeAll()
      .catch((error: Error) => warn('file', { err: error }, 'log files could not be kept in order'))
      .finally(() => {
        writing = undefined
        if (forFiles.bytes > 0) schedule()
      })
    return writing
  }

  async function writeAll(): Promise<void> {
    while (forFiles.bytes > 0) {
      const batch = forFiles.take()
      await Promise.all(
        [0, 1, 2, 3].map(async (lane) => {
          for (let i = lane; i < batch.length; i += 4) {
            const { nickname, texts: lines } = batch[i] as Waiting
            await files.append(nickname, lines).catch((error: Error) => {
              warn('file', { err: error, worker: nickname, lines: lines.length }, 'log lines could not be written')
            })
          }
        }),
      )
      await files.tidy()
      if (lost) warn('file', { lines: lost }, 'log lines were lost: they came faster than the disk takes them')
      lost = 0
    }
  }

  /** One sending at a time; what comes meanwhile is sent by the next. Never rejects. */
  function send(): Promise<void> {
    if (redis.status !== 'ready') {
      if (forStream.bytes > 0) schedule()
      return Promise.resolve()
    }
    sending ??= sendAll()
      .catch((error: Error) => warn('stream', { err: error }, 'log lines could not be put into Redis'))
      .finally(() => {
        sending = undefined
        if (forStream.bytes > 0) schedule()
      })
    return sending
  }

  async function sendAll(): Promise<void> {
    const { keeper } = forStream
    const lines = forStream.take().flatMap((waiting) => {
      const keep = bursts.admit(waiting)
      const { nickname, first, texts } = waiting
      return texts.map((text, i) => ({ nickname, text, number: `${keeper}.${first + i}`, keep }))
    })
    if (bursts.size) trim()
    try {
      for (let i = 0; i < lines.length; i += BATCH) await appendLogs(redis, names, lines.slice(i, i + BATCH))
    } finally {
      bursts.sent()
    }
  }

  /** After a burst Redis gets its memory back. */
  function trim(): void {
    trimming ??= setTimeout(async () => {
      // a stream that could not be trimmed is with its next line
      if (redis.status === 'ready') await trimLogs(redis, names, bursts.settle()).catch(() => {})
      trimming = undefined
      if (bursts.size && !closed) trim()
    }, TRIM_MS).unref()
  }

  function warn(what: 'file' | 'stream', fields: object, message: string): void {
    if (performance.now() - warned[what] < WARN_EVERY_MS) return
    warned[what] = performance.now()
    log.warn(fields, message)
  }

  /** What has come so far is in the files, and in Redis if that is there. */
  async function flush(): Promise<void> {
    do await write()
    while (forFiles.bytes > 0)
    await within(REDIS_PATIENCE_MS, sending ?? Promise.resolve())
    await within(REDIS_PATIENCE_MS, send())
  }

  return {
    /** Takes one line of a worker, without its line break. Never throws, never waits. */
    line(worker: LoggedWorker, stream: LogSource, text: string): void {
      if (closed) return
      const record = recordOf(worker, stream, text, Date.now())
      if (record === undefined) return
      if (forFiles.bytes < FILE_BYTES) forFiles.add(worker.nickname, record)
      else lost++
      forStream.add(worker.nickname, record)
      forStream.keepLast(worker.nickname, BACKLOG_LINES)
      if (forStream.bytes > STREAM_BYTES) forStream.halveLargest()
      schedule()
    },

    flush,

    async close(): Promise<void> {
      if (closed) return
      closed = true
      clearTimeout(timer)
      await flush()
      clearTimeout(trimming)
      if (redis.status === 'ready')
        await within(
          REDIS_PATIENCE_MS,
          trimLogs(redis, names, bursts.end()).catch(() => {}),
        )
      await files.close()
    },
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work, patience]).finally(() => clearTimeout(timer))
}
