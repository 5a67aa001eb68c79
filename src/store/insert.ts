import { CompiledQuery } from 'kysely'
import type { EventsTable, Kind } from './schema.js'
import { asTheyAre } from './sqlite.js'

/** A statement carries so many characters at most, about: a server refuses what is over its packet size. */
const STATEMENT_CHARACTERS = 1_000_000
/** And so many rows. SQLite keeps the statement for a full number prepared, and gains nothing by longer ones. */
const STATEMENT_ROWS = { mysql: 2000, sqlite: 50 } as const

const COLUMNS = [
  ...['time', 'seq', 'kind', 'severity', 'type', 'nickname', 'node', 'epoch', 'source', 'message', 'data'],
  ...['dedupe_key', 'dedupe_hash'],
]

/**
 * Statements that insert the rows and skip what is there already. Written out: a query builder takes longer to make them
 * than a database to carry them out.
 */
export function insertsOf(kind: Kind, rows: readonly EventsTable[]): CompiledQuery[] {
  return parts(rows, STATEMENT_ROWS[kind]).map((part) => {
    if (kind === 'mysql') return CompiledQuery.raw(MYSQL, [part.map((row) => addValues([], row))])
    const values: unknown[] = []
    for (const row of part) addValues(values, row)
    return CompiledQuery.raw(sqliteText(part.length), asTheyAre(values))
  })
}

/** In the order of COLUMNS. */
function addValues(values: unknown[], row: EventsTable): unknown[] {
  values.push(row.time, row.seq, row.kind, row.severity, row.type, row.nickname, row.node, row.epoch, row.source)
  values.push(row.message, row.data, row.dedupe_key, row.dedupe_hash)
  return values
}

/** The driver writes a list of lists as rows. */
const MYSQL = `insert ignore into events (${COLUMNS.join(', ')}) values ?`

function sqliteText(rows: number): string {
  if (rows === STATEMENT_ROWS.sqlite && FULL.text) return FULL.text
  const row = `(${COLUMNS.map(() => '?').join(', ')})`
  const values = Array(rows).fill(row).join(', ')
  const text = `insert into events (${COLUMNS.join(', ')}) values ${values} on conflict do nothing`
  if (rows === STATEMENT_ROWS.sqlite) FULL.text = text
  return text
}
const FULL: { text?: string } = {}

function parts(rows: readonly EventsTable[], most: number): EventsTable[][] {
  const all: EventsTable[][] = []
  let room = 0
  for (const row of rows) {
    const size = 300 + row.message.length + row.source.length + row.dedupe_key.length + (row.data?.length ?? 0)
    const part = all.at(-1)
    if (part && part.length < most && size <= room) part.push(row)
    else {
      all.push([row])
      room = STATEMENT_CHARACTERS
    }
    room -= size
  }
  return all
}
