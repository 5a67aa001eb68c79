import type { StoredEvent } from '../store/types.js'
import { clock } from './format.js'
import { clean, type Paint } from './print.js'

/** One event for a person: time, kind, whom it is about, what happened. */
export function eventLine(event: StoredEvent, paint: Paint): string {
  const who = [event.type, event.nickname].filter(Boolean).map(clean).join(' ')
  const parts = [
    paint.dim(clock(event.time)),
    paintSeverity(clean(event.kind).padEnd(11), event.severity, paint),
    who && paint.bold(who),
    event.source && event.source !== event.node && paint.cyan(clean(event.source)),
    clean(event.message),
    event.node && !event.message.includes(event.node) && paint.dim(`on ${clean(event.node)}`),
  ]
  return parts.filter(Boolean).join('  ')
}

function paintSeverity(text: string, severity: StoredEvent['severity'], paint: Paint): string {
  if (severity === 'error' || severity === 'critical') return paint.red(text)
  return severity === 'warning' ? paint.yellow(text) : paint.green(text)
}
