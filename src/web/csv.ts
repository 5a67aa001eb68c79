import type { StoredEvent } from '../store/types.js'

const COLUMNS = [
  'id',
  'time',
  'kind',
  'severity',
  'type',
  'nickname',
  'node',
  'epoch',
  'source',
  'message',
  'data',
  'key',
] as const

export const CSV_HEAD = `${COLUMNS.join(',')}\r\n`

/** Events as CSV (RFC 4180) with a head line; `time` as ISO 8601 in UTC, `data` as JSON. */
export const csvOf = (events: readonly StoredEvent[]): string => CSV_HEAD + csvRows(events)

/** The same without the head line. */
export function csvRows(events: readonly StoredEvent[]): string {
  return events.map((event) => `${COLUMNS.map((column) => cell(textOf(event, column))).join(',')}\r\n`).join('')
}

function textOf(event: StoredEvent, column: (typeof COLUMNS)[number]): string {
  if (column === 'time') return new Date(event.time).toISOString()
  if (column === 'data') return event.data === null || event.data === undefined ? '' : JSON.stringify(event.data)
  return String(event[column] ?? '')
}

/** Quoted where it must be, without control characters, and never what a spreadsheet would take for a formula. */
function cell(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const clean = text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ' ')
  const harmless = /^[=+\-@]/.test(clean) ? `'${clean}` : clean
  return /[",\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
