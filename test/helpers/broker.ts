import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { createConnection } from 'mysql2/promise'
import { startMysqlServer } from './mysql-server.js'

/**
 * Lets the test processes share one MariaDB that starts only when one of them asks: `GET /mysql` answers with the URL
 * of a fresh database. `givenUrl` is a server that is there already; then only its new databases are removed at the end.
 */
export async function startBroker(givenUrl: string | undefined): Promise<{ url: string; stop(): Promise<void> }> {
  let started: ReturnType<typeof startMysqlServer> | undefined
  const databases: string[] = []

  const serverUrl = async () => {
    if (givenUrl) return givenUrl
    started ??= startMysqlServer()
    return (await started).url
  }

  const freshDatabase = async () => {
    const base = new URL(await serverUrl())
    const name = `hysas_test_${randomBytes(5).toString('hex')}`
    await execute(base.href, `CREATE DATABASE ${name}`)
    databases.push(name)
    base.pathname = `/${name}`
    return base.href
  }

  const server = createServer((_request, response) => {
    freshDatabase().then(
      (url) => response.end(url),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0

  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      if (givenUrl) for (const name of databases) await execute(givenUrl, `DROP DATABASE IF EXISTS ${name}`)
      const own = await started?.catch(() => undefined)
      await own?.stop()
    },
  }
}

async function execute(url: string, sql: string): Promise<void> {
  const connection = await createConnection(url)
  try {
    await connection.query(sql)
  } finally {
    await connection.end()
  }
}
