import { createConnection } from 'mysql2/promise'
import { expect, it } from 'vitest'
import { mysqlUrl, startMysql } from '../helpers/mysql.js'

it('every test that asks gets a fresh database on the shared MariaDB', async () => {
  const [one, two] = await Promise.all([mysqlUrl(), mysqlUrl()])
  expect(one).not.toBe(two)
  const connection = await createConnection(one)
  await connection.query('CREATE TABLE t (a INT)')
  await connection.end()
})

it('a MariaDB of a test can be killed and brought back with its data', async () => {
  const server = await startMysql()
  const connection = await createConnection(server.url)
  await connection.query('CREATE TABLE kept (a INT)')
  connection.on('error', () => {})
  await server.kill()
  await server.restart()
  const again = await createConnection(server.url)
  const [rows] = await again.query('SHOW TABLES')
  expect(rows).toHaveLength(1)
  await again.end()
})
