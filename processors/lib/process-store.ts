import { type Database, HysasError } from 'hysas'
import type { MappedEvent, RawRow } from './process-mapping.js'
import type { NumberedRow } from './process-settled.js'

export interface StoreNames {
  /** Table of the raw database, and its column of rising whole numbers. */
  table: string
  idColumn: string
  /** Table of the event database. */
  eventTable: string
}

/** The nth event of one raw row. */
export interface NumberedEvent extends MappedEvent {
  rawId: number
  n: number
}

/** The statements of Process, in SQL that MySQL, MariaDB and SQLite all take. */
export class ProcessStore {
  constructor(
    private readonly raw: Database,
    private readonly event: Database,
    private readonly names: StoreNames,
  ) {}

  /** Makes the tables of the event database, where they are missing. @throws HysasError FOREIGN_TABLE */
  async prepare(): Promise<void> {
    const { eventTable, table } = this.names
    // of whatever language the database is: a text that its characters can't hold would stop all rows after it
    const charset = this.event.kind === 'mysql' ? 'DEFAULT CHARACTER SET utf8mb4' : ''
    await this.event.execute(`CREATE TABLE IF NOT EXISTS ${quoted(eventTable)} (
      raw_table VARCHAR(128) NOT NULL, raw_id BIGINT NOT NULL, n INT NOT NULL,
      time BIGINT NOT NULL, kind VARCHAR(64) NOT NULL, severity VARCHAR(16) NOT NULL, source VARCHAR(255) NOT NULL,
      message MEDIUMTEXT NOT NULL, data MEDIUMTEXT NOT NULL, PRIMARY KEY (raw_table, raw_id, n)) ${charset}`)
    await this.#checkColumns()
    await this.event.execute(
      `CREATE TABLE IF NOT EXISTS ${POSITION} (name VARCHAR(255) NOT NULL PRIMARY KEY, last_id BIGINT NOT NULL)`,
    )
    const known = await this.event.query(`SELECT last_id FROM ${POSITION} WHERE name = ?`, [this.#name])
    if (known.length > 0) return
    const [last] = await this.event.query<{ id: unknown }>(
      `SELECT MAX(raw_id) AS id FROM ${quoted(eventTable)} WHERE raw_table = ?`,
      [table],
    )
    await this.event.execute(`INSERT INTO ${POSITION} (name, last_id) VALUES (?, ?)`, [this.#name, idFrom(last?.id)])
  }

  /** The event store of HySAS has a table `events`, too, and somebody may have named its database. */
  async #checkColumns(): Promise<void> {
    const { eventTable } = this.names
    try {
      await this.event.query(`SELECT ${COLUMNS} FROM ${quoted(eventTable)} LIMIT 0`)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (!/(unknown|no such) column/i.test(reason)) throw error
      throw new HysasError('FOREIGN_TABLE', { table: eventTable, database: 'event', reason }, { cause: error })
    }
  }

  async lastId(): Promise<number> {
    const [row] = await this.event.query(`SELECT last_id FROM ${POSITION} WHERE name = ?`, [this.#name])
    return idFrom(row?.last_id)
  }

  /** The next rows after `lastId`, by rising id, and the highest id there is. */
  async rowsAfter(lastId: number, limit: number): Promise<{ rows: NumberedRow[]; highest: number }> {
    const id = quoted(this.names.idColumn)
    const table = quoted(this.names.table)
    // the id by a name of ours: SQL finds a column in any spelling, also one that is hidden, but a row has it as it was made
    const found = await this.raw.query<RawRow>(
      `SELECT *, ${id} AS ${ID} FROM ${table} WHERE ${id} > ? ORDER BY ${id} LIMIT ${Math.trunc(limit)}`,
      [lastId],
    )
    const rows = found.map(({ [ID]: of, ...row }) => ({ id: idFrom(of), row }))
    if (rows.length === 0) return { rows: [], highest: lastId }
    const [top] = await this.raw.query<{ highest: unknown }>(`SELECT MAX(${id}) AS highest FROM ${table}`)
    return { rows, highest: idFrom(top?.highest) }
  }

  /**
   * Writes the events and the new position in one transaction: both or neither. False where another run has gone on
   * from `from` meanwhile; then nothing is written.
   */
  async write(events: readonly NumberedEvent[], from: number, to: number): Promise<boolean> {
    return this.event.transaction(async (tx) => {
      const moved = await tx.execute(`UPDATE ${POSITION} SET last_id = ? WHERE name = ? AND last_id = ?`, [
        ...[to, this.#name, from],
      ])
      if (moved.affectedRows !== 1) return false
      for (let i = 0; i < events.length; i += ROWS_A_STATEMENT) {
        await this.#insert(tx, events.slice(i, i + ROWS_A_STATEMENT))
      }
      return true
    })
  }

  async #insert(tx: Pick<Database, 'execute'>, events: readonly NumberedEvent[]): Promise<void> {
    const places = events.map(() => '(?, ?, ?, ?, ?, ?, ?, ?, ?)').join(', ')
    const values = events.flatMap(({ rawId, n, time, kind, severity, source, message, data }) => [
      ...[this.names.table, rawId, n, Math.trunc(time), kind.slice(0, 64), severity, source.slice(0, 255), message],
      JSON.stringify(data, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ])
    await tx.execute(`INSERT INTO ${quoted(this.names.eventTable)} (${COLUMNS}) VALUES ${places}`, values)
  }

  /** One position for each pair of tables. */
  get #name(): string {
    return `${this.names.table} > ${this.names.eventTable}`
  }
}

/** Of a table or column, perhaps with its schema before it. */
export const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$/

const quoted = (name: string): string =>
  name
    .split('.')
    .map((part) => `\`${part}\``)
    .join('.')

function idFrom(value: unknown): number {
  const id = value === null || value === undefined ? 0 : Number(value)
  if (!Number.isSafeInteger(id)) throw new Error(`the id ${String(value)} is not a whole number`)
  return id
}

const ID = 'hysas_process_id'
const COLUMNS = 'raw_table, raw_id, n, time, kind, severity, source, message, data'
const POSITION = 'hysas_process_position'
const ROWS_A_STATEMENT = 200
