import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SqliteDatabase, SqliteStatement } from 'kysely'

/** libsql waits for another's lock without letting go of our event loop, so the long wait is ours: `whileBusy`. */
const BUSY_MS = 10
const PATIENCE_MS = 10_000
/** Statements of so many characters are worth keeping prepared, the last few of them. */
const LONG_SQL = 1000
const KEPT = 4

export interface Sqlite extends SqliteDatabase {
  /** For statements without values and rows. Only this leaves nothing behind when the file is busy. */
  exec(sql: string): void
  /** Ends a transaction that failed, where SQLite has not done so itself (as it does when the disk is full). */
  rollback(): void
}

/**
 * Opens a file through libsql, in the shape that kysely takes. Others may read while one writes (WAL), unless it is
 * `theirs` (somebody else's) and there already: that stays as it is. A missing folder is made; a file that is made is
 * the owner's alone. What libsql does otherwise than one expects is put right here:
 * - It takes every number for a real one, cuts a text at NUL, and aborts the process at a boolean: see `bindable`.
 * - A prepared statement that found the file busy stays under way, and no later commit succeeds. So a transaction takes
 *   the lock of writers at its beginning, by `exec`; nothing after that can find the file busy.
 */
export async function openSqlite(file: string, theirs = false): Promise<Sqlite> {
  const { default: Libsql } = await import('libsql')
  const isNew = file === ':memory:' || make(file)
  const raw = new Libsql(file)
  const exec = (sql: string) => void raw.exec(sql === 'begin' ? 'begin immediate' : sql)
  const rollback = () => {
    if (raw.inTransaction) raw.exec('rollback')
  }
  const close = () => {
    if (raw.open) raw.close()
  }
  try {
    exec(`pragma busy_timeout = ${BUSY_MS}`)
    // With WAL a power cut may cost the last transactions, never the file.
    if (isNew || !theirs) await whileBusy(() => exec('pragma journal_mode = wal; pragma synchronous = normal'))
  } catch (error) {
    close()
    throw error
  }
  const kept = new Map<string, SqliteStatement>()
  const prepare = (sql: string): SqliteStatement => {
    if (/^(begin|commit|rollback)$/.test(sql)) return control(sql === 'rollback' ? rollback : () => exec(sql))
    const known = kept.get(sql)
    if (known) return known
    const statement = wrap(raw.prepare(sql) as SqliteStatement)
    if (sql.length > LONG_SQL && !statement.reader) {
      if (kept.size === KEPT) kept.delete(kept.keys().next().value as string)
      kept.set(sql, statement)
    }
    return statement
  }
  return { prepare, exec, rollback, close }
}

/**
 * Makes a file that is not there yet. One that is there is not so much as opened: whoever closes a file, however it was
 * opened, thereby drops all locks that his process has on it (POSIX), those of SQLite's other connections, too.
 * (sqlite.org/howtocorrupt.html, 2.2)
 */
function make(file: string): boolean {
  mkdirSync(dirname(file), { recursive: true })
  try {
    closeSync(openSync(file, 'ax', 0o600))
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return false
    throw error
  }
}

/** Does `work` again until no other process holds the file, for ten seconds at most. */
export async function whileBusy<T>(work: () => T | Promise<T>): Promise<T> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isBusy(error) || Date.now() > end) throw error
      await sleep(5 + Math.random() * 25)
    }
  }
}

/** A value as libsql can bind it without loss. Objects become JSON, dates ISO text in UTC. */
export function bindable(value: unknown): string | number | bigint | Buffer | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value === 'string') return value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value
  if (typeof value === 'bigint' || Buffer.isBuffer(value)) return value
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (value instanceof Date) return value.toISOString()
  return JSON.stringify(value)
}

/**
 * These values need not be made bindable: texts without NUL, nulls, and whole numbers for columns that make them whole again.
 * It spares a fifth of an insert.
 */
export function asTheyAre<Values extends readonly unknown[]>(values: Values): Values {
  bound.add(values)
  return values
}
const bound = new WeakSet<readonly unknown[]>()

/** True where another process holds the file for the moment. */
function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test(String((error as { code?: unknown }).code))
}

function control(run: () => void): SqliteStatement {
  return {
    reader: false,
    all: () => [],
    run: () => {
      run()
      return { changes: 0, lastInsertRowid: 0 }
    },
    iterate: () => [][Symbol.iterator](),
  }
}

function wrap(statement: SqliteStatement): SqliteStatement {
  return {
    reader: statement.reader,
    all: (values) => statement.all(values.map(bindable)),
    run: (values) => statement.run(bound.has(values) ? values : values.map(bindable)),
    iterate: (values) => statement.iterate(values.map(bindable)),
  }
}
