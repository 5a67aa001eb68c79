import { type Kysely, sql } from 'kysely'
import { messageOf } from '../errors.js'

export interface EventsTable {
  /** Unix ms, and the number within it: together the id of the event's entry in the Redis stream. */
  time: number
  seq: number
  kind: string
  severity: string
  type: string
  nickname: string
  node: string
  epoch: number | null
  source: string
  message: string
  /** JSON. */
  data: string | null
  dedupe_key: string
  /** Of nickname and key; null where there is no key, since only nulls may repeat in a unique index. */
  dedupe_hash: string | null
}

export interface Tables {
  events: EventsTable
}

export type Kind = 'mysql' | 'sqlite'

interface Migration {
  mysql: readonly string[]
  sqlite: readonly string[]
}

/** In order; never change one that was released, append another. */
const MIGRATIONS: readonly Migration[] = [
  {
    mysql: [
      `create table if not exists events (
        time bigint not null, seq bigint not null,
        kind varchar(64) not null, severity varchar(16) not null,
        type varchar(64) not null, nickname varchar(64) not null, node varchar(255) not null, epoch bigint null,
        source varchar(255) not null, message text not null, data longtext null,
        dedupe_key text not null, dedupe_hash char(64) null,
        primary key (time, seq),
        unique key events_dedupe (dedupe_hash),
        key events_kind (kind, time), key events_nickname (nickname, time), key events_source (source, time)
      ) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin`,
    ],
    sqlite: [
      `create table events (
        time integer not null, seq integer not null,
        kind text not null, severity text not null,
        type text not null, nickname text not null, node text not null, epoch integer,
        source text not null, message text not null, data text,
        dedupe_key text not null, dedupe_hash text unique,
        primary key (time, seq)
      )`,
      'create index events_kind on events (kind, time, seq)',
      'create index events_nickname on events (nickname, time, seq)',
      'create index events_source on events (source, time, seq)',
    ],
  },
  {
    mysql: [
      `create table if not exists hysas_fleet (one tinyint not null primary key, namespace varchar(64) not null)
        engine = InnoDB default character set utf8mb4 collate utf8mb4_bin`,
    ],
    sqlite: ['create table hysas_fleet (one integer not null primary key, namespace text not null)'],
  },
]

/**
 * Brings the tables to the newest form. Safe when many processes open the same database at once. A list of our own, as
 * kysely's Migrator takes no lock on SQLite, and on MySQL one for the whole server that waits an hour.
 * @throws Error where a newer HySAS has been here
 */
export async function migrate(db: Kysely<Tables>, kind: Kind): Promise<void> {
  await db.connection().execute(async (connection) => {
    if ((await versionOf(connection, kind)) !== MIGRATIONS.length) {
      await (kind === 'mysql' ? underMysqlLock : underSqliteLock)(connection, () => runMigrations(connection, kind))
    }
    // A table of that name which is someone else's shows here, and not at the first event.
    await connection
      .selectFrom('events')
      .select(['time', 'seq', 'dedupe_hash'])
      .limit(1)
      .execute()
      .catch((error: unknown) => {
        if (!/unknown column/i.test(messageOf(error))) throw error
        const reason = `the table "events" in it was made by something else (${messageOf(error)})`
        throw new Error(`${reason}; HySAS needs a database of its own`, { cause: error })
      })
  })
}

/** Named by database, so that two fleets on one server don't wait for each other. */
async function underMysqlLock(connection: Kysely<Tables>, work: () => Promise<void>): Promise<void> {
  const name = sql`concat('hysas:', sha1(database()))`
  const { rows } = await sql<{ got: number | null }>`select get_lock(${name}, 60) as got`.execute(connection)
  if (rows[0]?.got !== 1) throw new Error('another process has been changing its tables for a minute')
  try {
    await work()
  } finally {
    await sql`select release_lock(${name})`.execute(connection)
  }
}

async function underSqliteLock(connection: Kysely<Tables>, work: () => Promise<void>): Promise<void> {
  await sql`begin`.execute(connection)
  try {
    await work()
    await sql`commit`.execute(connection)
  } catch (error) {
    await sql`rollback`.execute(connection)
    throw error
  }
}

async function runMigrations(connection: Kysely<Tables>, kind: Kind): Promise<void> {
  await sql`create table if not exists hysas_schema (version integer not null primary key)`.execute(connection)
  const done = await versionOf(connection, kind)
  if (done > MIGRATIONS.length) throw new Error('its tables were made by a newer version of HySAS')
  for (const [index, migration] of MIGRATIONS.entries()) {
    if (index < done) continue
    for (const statement of migration[kind]) await sql.raw(statement).execute(connection)
    await sql`insert into hysas_schema (version) values (${index + 1})`.execute(connection)
  }
}

/** Number of migrations that were carried out. */
async function versionOf(connection: Kysely<Tables>, kind: Kind): Promise<number> {
  const known =
    kind === 'mysql'
      ? sql`select 1 from information_schema.tables where table_schema = database() and table_name = 'hysas_schema'`
      : sql`select 1 from sqlite_master where type = 'table' and name = 'hysas_schema'`
  if (!(await known.execute(connection)).rows.length) return 0
  const { rows } = await sql<{ version: number | null }>`select max(version) as version from hysas_schema`.execute(
    connection,
  )
  return Number(rows[0]?.version ?? 0)
}
