import type { Log, LogLevel } from '../../src/contract.js'

/** A log that keeps its lines. */
export function testLog(): Log & { lines: { level: LogLevel; obj: object; msg: string }[] } {
  const lines: { level: LogLevel; obj: object; msg: string }[] = []
  const at = (level: LogLevel) => (first: object | string, msg?: string) => {
    lines.push(typeof first === 'string' ? { level, obj: {}, msg: first } : { level, obj: first, msg: msg ?? '' })
  }
  return { lines, trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
