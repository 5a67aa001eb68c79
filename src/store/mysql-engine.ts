import type { ExecuteValues } from 'mysql2'
import type { Connection, Pool } from 'mysql2/promise'
import type { Engine, Statements } from './engine.js'
import { openPool } from './mysql.js'

/** Connections of one worker to one database. */
const CONNECTIONS = 3

export async function openMysqlEngine(url: string): Promise<Engine> {
  const { pool: callbacks, end } = await openPool(url, CONNECTIONS)
  const pool = callbacks.promise()
  try {
    await pool.query('select 1')
  } catch (error) {
    await end()
    throw error
  }
  return {
    kind: 'mysql',
    ...statements(pool),
    async begin() {
      const connection = await pool.getConnection()
      const finish = (statement: string) => async () => {
        try {
          await connection.query(statement)
          connection.release()
        } catch (error) {
          connection.destroy() // the server rolls back
          if (statement === 'commit') throw error
        }
      }
      try {
        await connection.query('begin')
      } catch (error) {
        connection.destroy()
        throw error
      }
      return { ...statements(connection), commit: finish('commit'), rollback: finish('rollback') }
    },
    close: end,
  }
}

function statements(on: Pool | Connection): Statements {
  // Prepared where there are values; without, plain, since not every statement can be prepared.
  const run = async (sql: string, values: readonly unknown[]): Promise<unknown> => {
    const [result] = values.length ? await on.execute(sql, values.map(sendable)) : await on.query(sql)
    return result
  }
  return {
    async query(sql, values) {
      const result = await run(sql, values)
      return Array.isArray(result) ? result : []
    },
    async execute(sql, values) {
      const { affectedRows = 0, insertId = 0 } = (await run(sql, values)) as {
        affectedRows?: number
        insertId?: number
      }
      return { affectedRows, insertId }
    },
  }
}

/** The driver refuses undefined, and makes JSON of plain objects itself. */
function sendable(value: unknown): ExecuteValues {
  if (value === undefined || (typeof value === 'number' && !Number.isFinite(value))) return null
  if (value instanceof Uint8Array && !Buffer.isBuffer(value)) return Buffer.from(value)
  return value as ExecuteValues
}
