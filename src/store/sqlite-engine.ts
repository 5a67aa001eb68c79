import type { Engine, Statements } from './engine.js'
import { openSqlite, type Sqlite, whileBusy } from './sqlite.js'
import { sqliteFileOf } from './url.js'

/** Statements that write and may stand in a transaction. */
const WRITES = /^\s*(insert|update|delete|replace|with|create|drop|alter)\b/i

/** Without WAL a reader, too, finds the file busy, while another's commit is written. So it is locked for reading first. */
const READS = /^\s*select\b/i
const LOCK_TO_READ = 'begin deferred; select 1 from sqlite_schema limit 1'

/**
 * One connection. A transaction has it for itself; everything else waits for the end of it, in order.
 */
export async function openSqliteEngine(url: string): Promise<Engine> {
  const database = await openSqlite(sqliteFileOf(url), true)
  const { query, execute } = statements(database)
  let free: Promise<void> = Promise.resolve()

  /** Resolves when it is our turn, with what ends it. */
  async function turn(): Promise<() => void> {
    const before = free
    let end = () => {}
    free = new Promise((resolve) => {
      end = resolve
    })
    await before
    return end
  }

  async function alone<T>(sql: string, work: () => Promise<T>): Promise<T> {
    const end = await turn()
    try {
      const begin = WRITES.test(sql) ? 'begin' : READS.test(sql) ? LOCK_TO_READ : undefined
      if (begin === undefined) return await work()
      await whileBusy(() => started(database, begin))
      return await committed(database, work)
    } finally {
      end()
    }
  }

  return {
    kind: 'sqlite',
    query: (sql, values) => alone(sql, () => query(sql, values)),
    execute: (sql, values) => alone(sql, () => execute(sql, values)),
    async begin() {
      const end = await turn()
      try {
        await whileBusy(() => database.exec('begin'))
      } catch (error) {
        end()
        throw error
      }
      return {
        query,
        execute,
        async commit() {
          await whileBusy(() => database.exec('commit'))
          end()
        },
        async rollback() {
          try {
            database.rollback()
          } finally {
            end()
          }
        },
      }
    },
    async close() {
      const end = await turn()
      database.close()
      end()
    },
  }
}

function started(database: Sqlite, begin: string): void {
  try {
    database.exec(begin)
  } catch (error) {
    database.rollback()
    throw error
  }
}

async function committed<T>(database: Sqlite, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work()
    await whileBusy(() => database.exec('commit'))
    return result
  } catch (error) {
    database.rollback()
    throw error
  }
}

function statements(database: Sqlite): Statements {
  return {
    async query(sql, values) {
      const statement = database.prepare(sql)
      if (statement.reader) return statement.all(values).map(readable)
      statement.run(values)
      return []
    },
    async execute(sql, values) {
      const statement = database.prepare(sql)
      if (statement.reader) return { affectedRows: statement.all(values).length, insertId: 0 }
      const { changes, lastInsertRowid } = statement.run(values)
      const inserts = /^\s*(insert|replace|with)\b/i.test(sql) && changes
      return { affectedRows: Number(changes), insertId: inserts ? Number(lastInsertRowid) : 0 }
    },
  }
}

/** libsql gives binary values as ArrayBuffer; mysql2 and better-sqlite3 give Buffers. */
function readable(row: unknown): unknown {
  const entries = Object.entries(row as Record<string, unknown>)
  if (!entries.some(([, value]) => value instanceof ArrayBuffer)) return row
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value instanceof ArrayBuffer ? Buffer.from(value) : value]),
  )
}
