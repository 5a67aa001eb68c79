import type { Pool, PoolConnection, PoolOptions } from 'mysql2'
import { parseMysqlUrl } from './url.js'

/** How long a farewell may take before the connections are cut, ms. */
const END_MS = 2000

/** Codes that say: the connection is gone, the statement may or may not have been carried out. */
const LOST = new Set(['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE', 'ER_SERVER_SHUTDOWN', 'ER_CONNECTION_KILLED'])

export const isConnectionLost = (error: unknown): boolean => LOST.has((error as { code?: string }).code ?? '')
export const isDeadlock = (error: unknown): boolean =>
  ['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT'].includes((error as { code?: string }).code ?? '')

/** A small pool, and `end`, which also gets rid of connections whose server doesn't answer any more. */
export async function openPool(url: string, connectionLimit: number): Promise<{ pool: Pool; end(): Promise<void> }> {
  const { createPool } = await import('mysql2')
  const pool = createPool({ ...common, ...parseMysqlUrl(url), connectionLimit })
  const open = new Set<PoolConnection>()
  pool.on('connection', (connection) => {
    open.add(connection)
    connection.once('end', () => open.delete(connection))
  })
  let ended: Promise<void> | undefined
  const end = () =>
    new Promise<void>((resolve) => {
      const cut = setTimeout(() => {
        for (const connection of open) connection.destroy()
        resolve()
      }, END_MS)
      pool.end(() => {
        clearTimeout(cut)
        resolve()
      })
    })
  return {
    pool,
    end: () => {
      ended ??= end()
      return ended
    },
  }
}

/** Creates the database that the URL names, where it is missing and the user may. */
export async function ensureMysqlDatabase(url: string): Promise<void> {
  const { createConnection } = await import('mysql2/promise')
  const { database, ...server } = { ...common, ...parseMysqlUrl(url) }
  try {
    const connection = await createConnection({ ...server, database })
    await connection.end()
  } catch (error) {
    if ((error as { code?: string }).code !== 'ER_BAD_DB_ERROR') throw error
    const connection = await createConnection(server)
    try {
      const name = `\`${database.replaceAll('`', '``')}\``
      await connection.query(`create database if not exists ${name} character set utf8mb4 collate utf8mb4_bin`)
    } finally {
      await connection.end()
    }
  }
}

const common = {
  connectTimeout: 5000,
  enableKeepAlive: true,
  supportBigNumbers: true,
  // An object among the values must never become a piece of SQL.
  stringifyObjects: true,
  multipleStatements: false,
} satisfies PoolOptions
