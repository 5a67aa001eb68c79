import type { StoredEvent } from '../store/types.js'
import { clock } from './format.js'
import { clean, jsonText, type Paint } from './print.js'

/** One event for a person: time, kind, whom it is about, what happened. */
export function eventLine(event: StoredEvent, paint: Paint): string {
  const who = [event.type, event.nickname].filter(Boolean).map(clean).join(' ')
  const parts = [
    paint.dim(clock(event.time)),
    paintSeverity(clean(event.kind).padEnd(11), event.severity, paint),
    who && paint.bold(who),
    event.source && event.source !== event.node && paint.cyan(clean(event.source)),
    clean(event.message),
    callOf(event.data, paint),
    event.node && !event.message.includes(event.node) && paint.dim(`on ${clean(event.node)}`),
  ]
  return parts.filter(Boolean).join('  ')
}

/** Characters of the arguments in a line. */
const ARGS = 200

/** The operation that a command has called, with its arguments. */
function callOf(data: unknown, paint: Paint): string {
  const { operation, args } = (data ?? {}) as { operation?: unknown; args?: unknown }
  if (typeof operation !== 'string') return ''
  const { begins } = (args ?? {}) as { begins?: unknown }
  const text = typeof begins === 'string' ? `${begins}…` : args === undefined ? '' : jsonText(args)
  return paint.dim(clean(`${operation} ${text.length > ARGS ? `${text.slice(0, ARGS)}…` : text}`.trim()))
}

function paintSeverity(text: string, severity: StoredEvent['severity'], paint: Paint): string {
  if (severity === 'error' || severity === 'critical') return paint.red(text)
  return severity === 'warning' ? paint.yellow(text) : paint.green(text)
}
