import type { LogRecord } from '../protocol.js'

export interface LoggedWorker {
  type: string
  nickname: string
  epoch?: number | undefined
}
export type LogSource = 'log' | 'stdout' | 'stderr'

/** A longer line is cut, bytes. */
export const LINE_LIMIT = 65_536

/** Levels of plain text, in pino's numbers: what goes to stderr is probably a warning. */
const LEVELS = { log: 30, stdout: 30, stderr: 40 }

/**
 * One line of a worker as a LogRecord (JSON, with `stream`). JSON objects keep their fields, but not whose they are; all
 * else becomes `msg`. Undefined for an empty line.
 */
export function recordOf(worker: LoggedWorker, stream: LogSource, text: string, nowMs: number): string | undefined {
  const line = text.trimEnd()
  if (line === '') return undefined
  const parsed = objectOf(line)
  const msg = parsed ? parsed.msg : cut(line, LINE_LIMIT)
  const record: LogRecord & { stream: LogSource } = {
    ...(parsed ?? {}),
    level: typeof parsed?.level === 'number' ? parsed.level : LEVELS[stream],
    time: typeof parsed?.time === 'number' ? parsed.time : nowMs,
    type: worker.type,
    nickname: worker.nickname,
    ...(worker.epoch === undefined ? {} : { epoch: worker.epoch }),
    stream,
    ...(msg === undefined ? {} : { msg: String(msg) }),
  }
  const json = JSON.stringify(record)
  if (Buffer.byteLength(json) <= LINE_LIMIT) return json
  const { level, time, type, nickname, epoch } = record
  const head = { level, time, type, nickname, ...(epoch === undefined ? {} : { epoch }), stream }
  // Escaping makes it longer: half of the limit holds most texts, a sixth the worst.
  const short = (bytes: number) =>
    JSON.stringify({ ...head, cut: line.length, msg: `${cut(parsed ? String(msg ?? line) : line, bytes)}…` })
  const half = short(LINE_LIMIT - 1024)
  return Buffer.byteLength(half) <= LINE_LIMIT ? half : short(Math.floor(LINE_LIMIT / 6) - 512)
}

function objectOf(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{') || !line.endsWith('}')) return undefined
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}

/** The beginning of a text, at most so many bytes of UTF-8, no character halved. */
function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text
  return Buffer.from(text.slice(0, bytes))
    .subarray(0, bytes)
    .toString()
    .replace(/\uFFFD+$/, '')
}
