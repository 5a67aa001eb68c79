import { CompiledQuery, Kysely, MysqlDialect, SqliteDialect } from 'kysely'
import { HysasError } from '../errors.js'
import { append, countByTime, find, prune } from './history.js'
import { ensureMysqlDatabase, isConnectionLost, isDeadlock, openPool } from './mysql.js'
import { checkOwner, type Owner } from './owner.js'
import { reasonOf } from './reason.js'
import { type Kind, migrate, type Tables } from './schema.js'
import { openSqlite, whileBusy } from './sqlite.js'
import type { EventStore } from './types.js'
import { isMysqlUrl, shownUrl, sqliteFileOf } from './url.js'

/** Tries of what a lost connection or another writer's lock got in the way of. Every operation may be repeated. */
const ATTEMPTS = 4

export interface StoreOptions {
  url?: string | undefined
  sqliteFile: string
  /** Whose store it has to be; without, whoever's it is. */
  owner?: Owner | undefined
}

interface Opened {
  kind: Kind
  where: string
  db: Kysely<Tables>
  end(): Promise<void>
}

/**
 * Opens the event store and brings its tables up to date: MySQL or MariaDB where `url` is `mysql://` or `mariadb://`;
 * else SQLite, in the file that `url` names (`file:`, `sqlite:` or a path) or in `sqliteFile`. A missing database or
 * file is created. Close it.
 * @throws HysasError DATABASE, of this and of all methods; OTHER_FLEETS_STORE; USAGE for a query that makes no sense
 */
export async function openStore({ url, sqliteFile, owner }: StoreOptions): Promise<EventStore> {
  const where = url ? shownUrl(url) : sqliteFile
  try {
    const opened =
      url && isMysqlUrl(url) ? await openMysql(url, where) : await openFile(url ? sqliteFileOf(url) : sqliteFile)
    try {
      await again(() => migrate(opened.db, opened.kind))
      if (owner) await again(() => checkOwner(opened.db, opened.kind, where, owner))
    } catch (error) {
      await opened.end()
      throw error
    }
    return storeOf(opened)
  } catch (error) {
    throw asDatabaseError(where, error)
  }
}

async function openMysql(url: string, where: string): Promise<Opened> {
  await ensureMysqlDatabase(url)
  const { pool, end } = await openPool(url, 4)
  const dialect = new MysqlDialect({
    pool,
    // Values are escaped by the driver; that is right only while a backslash escapes. Strict: nothing is cut silently.
    onCreateConnection: async (connection) => {
      await connection.executeQuery(
        CompiledQuery.raw("set session sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'"),
      )
    },
  })
  return { kind: 'mysql', where, db: new Kysely<Tables>({ dialect }), end }
}

async function openFile(file: string): Promise<Opened> {
  const database = await openSqlite(file)
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })
  return { kind: 'sqlite', where: file, db, end: async () => database.close() }
}

function storeOf({ kind, where, db, end }: Opened): EventStore {
  let closed = false
  const carryOut = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      if (closed) throw new Error('it has been closed')
      return await again(work)
    } catch (error) {
      throw asDatabaseError(where, error)
    }
  }
  return {
    kind,
    where,
    append: (events) => carryOut(() => append(db, kind, events)),
    find: (query) => carryOut(() => find(db, query)),
    countByTime: (query) => carryOut(() => countByTime(db, query)),
    prune: (time) => carryOut(() => prune(db, time)),
    async close() {
      closed = true
      await end()
    },
  }
}

async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await whileBusy(work)
    } catch (error) {
      const passing = isConnectionLost(error) || isDeadlock(error)
      if (!passing || attempt === ATTEMPTS) throw error
      await new Promise((resolve) => setTimeout(resolve, attempt * 20 + Math.random() * 50))
    }
  }
}

function asDatabaseError(database: string, error: unknown): HysasError {
  if (error instanceof HysasError) return error
  return new HysasError('DATABASE', { database, reason: reasonOf(error) }, { cause: error })
}
