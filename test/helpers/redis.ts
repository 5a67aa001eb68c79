import { Redis } from 'ioredis'
import { afterAll } from 'vitest'
import { type RedisOptions, type RedisServer, startRedisServer } from './redis-server.js'

/** Of the one Redis of the test run. Every test file uses its own `namespace()` in it. */
export function redisUrl(): string {
  const url = process.env.HYSAS_TEST_REDIS_URL
  if (!url) throw new Error('The test run has no Redis: test/helpers/global-setup.ts starts it.')
  return url
}

const servers = new Set<RedisServer>()
const connections = new Set<Redis>()

afterAll(async () => {
  for (const connection of connections) connection.disconnect()
  await Promise.all([...servers].map((server) => server.stop()))
})

/** A Redis of the test's own, to be stopped, killed and restarted (same port and data). Stopped after the file's last test. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const server = await startRedisServer(options)
  servers.add(server)
  return server
}

/** An ordinary connection, closed after the file's last test. */
export function connectRedis(url = redisUrl()): Redis {
  const connection = new Redis(url, { maxRetriesPerRequest: null })
  connection.on('error', () => {}) // a test that stops its server expects them
  connections.add(connection)
  return connection
}
