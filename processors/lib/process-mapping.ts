/** A row of the raw table, as the database gives it. */
export type RawRow = Readonly<Record<string, unknown>>

/** What a row means: one row of the event table. */
export interface MappedEvent {
  /** Unix ms. */
  time: number
  /** What happened: at most 64 characters. */
  kind: string
  severity: 'info' | 'warning' | 'error' | 'critical'
  /** Whom or what it is about, for example an address: at most 255 characters. */
  source: string
  /** One sentence. */
  message: string
  /** All else, as JSON. */
  data: Record<string, unknown>
}

/**
 * Makes events of one raw row: one, several (a list), or none (undefined). This is the reference, and meant to be
 * replaced: copy `Process.ts` and `lib/process-*.ts` into your own processors folder, where they stand before the
 * built-in ones, and write here what your rows mean. An error thrown here leaves out the row; it is logged and counted.
 *
 * The reference takes columns by their usual names (see `USUAL`) and puts the others, and the fields of a JSON object in
 * a column `payload`, into `data`. A row without time counts as of now.
 */
export function mapRow(row: RawRow): MappedEvent | readonly MappedEvent[] | undefined {
  const fields = { ...row, ...objectOf(row.payload) }
  const used = new Set(['id', 'payload'])
  const take = (names: readonly string[]): unknown => {
    const name = names.find((candidate) => fields[candidate] !== undefined && fields[candidate] !== null)
    if (name !== undefined) used.add(name)
    return name === undefined ? undefined : fields[name]
  }
  const event = {
    time: timeOf(take(USUAL.time)) ?? Date.now(),
    kind: textOf(take(USUAL.kind)) || 'raw',
    severity: severityOf(take(USUAL.severity)),
    source: textOf(take(USUAL.source)),
    message: textOf(take(USUAL.message)),
  }
  const rest = Object.entries(fields).filter(([name]) => !used.has(name))
  const payload = typeof row.payload === 'string' && objectOf(row.payload) === undefined ? { payload: row.payload } : {}
  return { ...event, data: { ...payload, ...Object.fromEntries(rest) } }
}

const USUAL = {
  time: ['time', 'timestamp', 'ts', 'created_at', 'date'],
  kind: ['kind', 'event', 'event_type', 'type', 'category'],
  severity: ['severity', 'level', 'priority'],
  source: ['source', 'src_ip', 'source_ip', 'ip', 'address', 'host', 'hostname'],
  message: ['message', 'msg', 'text', 'description', 'line'],
}

/** JSON columns come as objects from MySQL, as text from SQLite. */
function objectOf(value: unknown): Record<string, unknown> | undefined {
  let parsed = value
  if (typeof value === 'string') {
    try {
      parsed = JSON.parse(value)
    } catch {
      return undefined
    }
  }
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    ? (parsed as Record<string, unknown>)
    : undefined
}

/** Dates, ISO texts, and numbers: below 1e11 they are seconds, else ms. Undefined of MySQL's zero date, too, which is none. */
function timeOf(value: unknown): number | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.getTime()
  const number =
    typeof value === 'string' && !/^\d+(\.\d+)?$/.test(value) ? Date.parse(value) : Number(value ?? Number.NaN)
  if (!Number.isFinite(number)) return undefined
  return Math.round(number < 1e11 && typeof value !== 'object' && isNumeric(value) ? number * 1000 : number)
}

const isNumeric = (value: unknown): boolean => typeof value === 'number' || /^\d+(\.\d+)?$/.test(String(value))

/** Words, or syslog's numbers: 0 to 2 critical, 3 error, 4 warning, the rest info. */
function severityOf(value: unknown): MappedEvent['severity'] {
  const word = textOf(value).toLowerCase()
  if (/^[0-7]$/.test(word))
    return (['critical', 'critical', 'critical', 'error', 'warning'] as const)[Number(word)] ?? 'info'
  if (/^(crit|emerg|fatal|alert|high)/.test(word)) return 'critical'
  if (/^err/.test(word)) return 'error'
  if (/^(warn|medium)/.test(word)) return 'warning'
  return 'info'
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
