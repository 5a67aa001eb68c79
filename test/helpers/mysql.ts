import { afterAll } from 'vitest'
import { type MysqlServer, startMysqlServer } from './mysql-server.js'

/**
 * URL of a fresh database on the one MariaDB of the test run, which starts when the first test asks; the database is
 * dropped at the end of the run. Only files named `*.mysql.test.ts` may use it.
 */
export async function mysqlUrl(): Promise<string> {
  const broker = process.env.HYSAS_TEST_BROKER
  if (!broker) throw new Error('The test run has no broker: test/helpers/global-setup.ts starts it.')
  const response = await fetch(`${broker}/mysql`)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text
}

const servers = new Set<MysqlServer>()

afterAll(async () => {
  await Promise.all([...servers].map((server) => server.stop()))
})

/**
 * A MariaDB of the test's own, to be stopped, killed and restarted (same port and data). Its URL names a database `test`. Takes
 * further options of `mariadbd`.
 */
export async function startMysql(...further: string[]): Promise<MysqlServer> {
  const server = await startMysqlServer(further)
  servers.add(server)
  return server
}
