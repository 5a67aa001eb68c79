import { COLUMNS, type EventRow, eventOf, rowOf } from '../lib/events.js'
import { inProgram } from '../lib/in-program.js'

/** Multi-row inserts of events by the bare driver, into a table that is there: tells rows a second. */
await inProgram<{ mysql?: string; sqlite?: string; count: number; rowsEach: number; first: number }>(
  async ({ mysql, sqlite, count, rowsEach, first }, tell) => {
    const events = Array.from({ length: count }, (_, i) => eventOf(first + i))
    const insert = mysql ? await mysqlInsert(mysql) : await sqliteInsert(sqlite ?? '', rowsEach)
    const begun = performance.now()
    for (let at = 0; at < count; at += rowsEach) await insert(events.slice(at, at + rowsEach).map(rowOf))
    tell(count / ((performance.now() - begun) / 1000))
  },
)

async function mysqlInsert(url: string): Promise<(rows: EventRow[]) => Promise<unknown>> {
  const { createConnection } = await import('mysql2/promise')
  const connection = await createConnection(url)
  return (rows) => connection.query(`insert into events (${COLUMNS.join(', ')}) values ?`, [rows])
}

async function sqliteInsert(file: string, rowsEach: number): Promise<(rows: EventRow[]) => Promise<unknown>> {
  const { default: Database } = await import('libsql')
  const database = new Database(file)
  database.exec('pragma journal_mode = wal; pragma synchronous = normal')
  const one = `(${COLUMNS.map(() => '?').join(', ')})`
  const text = `insert into events (${COLUMNS.join(', ')}) values ${Array(rowsEach).fill(one).join(', ')}`
  const statement = database.prepare(text)
  return async (rows) => statement.run(rows.flat())
}
