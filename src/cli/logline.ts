import type { LogLine } from '../fleet/views.js'
import { clock } from './format.js'
import { clean, cleanLines, indent, jsonText, type Paint } from './print.js'

/** One line of a worker's log for a person: time, level, message, then the further fields; a stack below it. */
export function logLine(line: LogLine, paint: Paint): string {
  const { stack, fields } = splitStack(line.fields)
  const rest = Object.entries(fields).map(([key, value]) => `${paint.dim(`${clean(key)}=`)}${shown(value)}`)
  const printed = line.stream === 'stdout' || line.stream === 'stderr' ? paint.dim(`${line.stream}:`) : ''
  const parts = [paint.dim(clock(line.time)), levelWord(line.level, paint), printed, clean(line.msg), ...rest]
  const text = parts.filter(Boolean).join(' ')
  return stack ? `${text}\n${paint.dim(indent(cleanLines(stack), 4))}` : text
}

export function levelWord(level: string, paint: Paint): string {
  const word = clean(level).toUpperCase().padEnd(5)
  if (level === 'error' || level === 'fatal') return paint.red(word)
  if (level === 'warn') return paint.yellow(word)
  return level === 'info' ? paint.green(word) : paint.dim(word)
}

/** pino writes errors as `err: {type, message, stack}`. */
function splitStack(fields: Record<string, unknown>): { stack: string; fields: Record<string, unknown> } {
  const { err, ...rest } = fields
  const stack = (err as { stack?: unknown } | undefined)?.stack
  return typeof stack === 'string' ? { stack, fields: rest } : { stack: '', fields }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? clean(value) : jsonText(value)
}
