import type { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { checkServer, connectRedis, type RedisRole, ready } from '../../src/redis/connect.js'
import { freePort } from '../helpers/process.js'
import { redisUrl, startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const opened: Redis[] = []
const connect = (url: string, role: RedisRole, name?: string) => {
  const redis = connectRedis(url, role, name)
  opened.push(redis)
  return redis
}
afterEach(() => {
  for (const redis of opened.splice(0)) redis.disconnect()
})

test('a connection is ready, named for CLIENT LIST, and its server fits', async () => {
  const redis = connect(redisUrl(), 'node', 'my node\n1')
  await ready(redis, redisUrl(), 'a test')
  expect(await redis.client('GETNAME')).toBe('hysas:node:my_node_1')
  expect(await checkServer(redis, 'x')).toMatchObject({ policy: 'noeviction' })
})

test.each(['client', 'worker'] as const)(
  'no Redis at all is told within 3 s, without the password (%s)',
  async (role) => {
    const url = `redis://me:secret@127.0.0.1:${await freePort()}`
    const redis = connect(url, role)
    const began = Date.now()
    const error = await ready(redis, url, 'HYSAS_REDIS_URL').catch((thrown) => thrown)
    expect(error).toMatchObject({
      code: 'NO_REDIS',
      message: expect.stringMatching(/me:\*\*\*@.*HYSAS_REDIS_URL.*REFUSED/),
    })
    expect(String(error)).not.toMatch(/secret/)
    expect(Date.now() - began).toBeLessThan(3500)
    await until(() => redis.status === 'end')
  },
)

test('a wrong or missing password is told', async () => {
  const server = await startRedis({ password: 'right' })
  for (const url of [server.url.replace('right', 'wrong'), server.url.replace(':right@', '')]) {
    await expect(ready(connect(url, 'client'), url, 'x'), url).rejects.toMatchObject({ code: 'REDIS_AUTH' })
  }
  const good = connect(server.url, 'client')
  await ready(good, server.url, 'x')
  await good.config('SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru')
  await expect(checkServer(good, 'shown')).rejects.toMatchObject({ code: 'REDIS_EVICTS' })
})

test('while Redis is away a client fails at once and a worker waits; both come back', async () => {
  const server = await startRedis()
  const client = connect(server.url, 'client')
  const worker = connect(server.url, 'worker')
  await Promise.all([ready(client, server.url, 'x'), ready(worker, server.url, 'x')])
  await server.kill()
  await until(() => client.status !== 'ready' && worker.status !== 'ready')
  const began = Date.now()
  await expect(client.ping()).rejects.toThrow()
  expect(Date.now() - began).toBeLessThan(2500)
  const waiting = worker.ping()
  await server.restart()
  expect(await waiting).toBe('PONG')
  await until(() => client.ping())
})
