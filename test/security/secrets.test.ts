import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { commandOf, processesIn } from '../faults/fixture.js'
import { temporaryFolder } from '../helpers/folder.js'
import { clientOf, startNode } from '../helpers/node.js'
import { freePort } from '../helpers/process.js'
import { connectRedis, startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

/** Each is planted once; `in` the name tells what leaked. */
const SECRET = {
  redis: 'planted-in-the-redis-url-8a1c',
  database: 'planted-in-the-database-url-5b2d',
  raw: 'planted-in-a-users-database-3e9f',
  token: 'planted-as-the-operators-token-7c',
  viewer: 'planted-as-the-viewers-token-d0e1',
  command: 'planted-as-the-command-token-44aa',
  alert: 'planted-in-the-alert-url-91b3',
  environment: 'planted-in-the-environment-6f6f',
}

const LEAKY = `import { defineProcessor } from 'hysas'
export default defineProcessor({
  description: 'Tells all it can see.',
  restart: { minDelayMs: 100, giveUpAfter: 6 },
  async produce(ctx) {
    console.log(JSON.stringify(process.env), process.argv.join(' '), process.execArgv.join(' '))
    ctx.log.info({ env: { ...process.env }, params: ctx.params }, 'all of it')
    await ctx.publish({ env: process.env })
    await ctx.redis.set(ctx.namespace + ':leaked', JSON.stringify(process.env))
    await ctx.redis.call('NOSUCHCOMMAND', 'x').catch((error) => ctx.log.error({ err: error }, 'redis'))
    await ctx.database('raw').then((db) => db.query('select 1')).catch((error) => ctx.log.error({ err: error }, error.message))
    throw new Error('crashed with ' + Object.values(process.env).join(' '))
  },
})
`

const server = createServer((request, response) => {
  request.resume()
  response.writeHead(500).end()
})
afterAll(() => void server.close())

it('planted secrets come up in no log, key, value, answer of page or API, error, event, file that others may read, or command line', {
  timeout: 90_000,
}, async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const alertPort = (server.address() as AddressInfo).port
  const redisServer = await startRedis({ password: SECRET.redis })
  const folder = temporaryFolder('hysas-secrets')
  const processors = join(folder, 'processors')
  mkdirSync(processors)
  writeFileSync(join(processors, 'Leaky.ts'), LEAKY)
  const nowhere = await freePort() // so that every error has its chance to tell the URL
  const port = await freePort()
  writeFileSync(
    join(folder, 'hysas.config.json'),
    JSON.stringify({ databases: { raw: `mysql://reader:${SECRET.raw}@127.0.0.1:${nowhere}/raw` } }),
    { mode: 0o600 },
  )
  const env = {
    HYSAS_DATABASE_URL: `mysql://hysas:${SECRET.database}@127.0.0.1:${nowhere}/hysas`,
    HYSAS_TOKEN: SECRET.token,
    HYSAS_VIEWER_TOKEN: SECRET.viewer,
    HYSAS_COMMAND_TOKEN: SECRET.command,
    HYSAS_ALERT_URL: `http://hook:${SECRET.alert}@127.0.0.1:${alertPort}/${SECRET.alert}?key=${SECRET.alert}`,
    AWS_SECRET_ACCESS_KEY: SECRET.environment,
    HYSAS_LOG_LEVEL: 'trace',
  }
  const node = await startNode({
    namespace: 'HySAS',
    url: redisServer.url,
    folder,
    env,
    args: ['--port', String(port)],
  })
  const client = await clientOf('HySAS', redisServer.url)
  await client.start('Leaky', 'leaky', { everyMs: 1 }).catch(() => {})
  await client.start('Demo', 'plain', {})
  const redis = connectRedis(redisServer.url)
  for (const token of ['wrong', SECRET.command])
    await redis.publish(
      'HySAS.Command',
      JSON.stringify({ type: 'sys', operation_name: 'restart', kwargs: { nickname: 'plain' }, token }),
    )
  await until(async () => (await client.show('leaky')).status === 'failed', { timeoutMs: 40_000 })
  await until(() => node.output().includes('an alert could not be told'), { timeoutMs: 20_000 })

  const found: string[] = []
  const look = (where: string, text: string) => {
    for (const [name, secret] of Object.entries(SECRET)) if (text.includes(secret)) found.push(`${name} in ${where}`)
  }

  // the link to the page, on the node's own terminal, carries the token that opens it
  look('the output of the node', node.output().replaceAll(/token=\S+/g, ''))

  for (const key of await redis.keys('*')) {
    look(`the key ${key}`, key)
    look(`Redis: ${key}`, (await redis.dumpBuffer(key))?.toString('latin1') ?? '')
    look(`Redis: ${key}`, await textOf(redis, key))
  }
  look('CLIENT LIST', String(await redis.client('LIST')))

  const paths = [
    ...[
      '',
      'workers',
      'workers/leaky',
      'types',
      'nodes',
      'events',
      'flows',
      'workers/leaky/logs',
      'openapi.json',
      'nothing',
    ],
  ].map((path) => `/api/v1/${path}`)
  for (const path of ['/', '/queues/', '/queues/api/queues', '/metrics', '/healthz', '/readyz', ...paths])
    for (const token of [SECRET.token, SECRET.viewer, 'wrong-token-of-some-length']) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${token}` } })
      look(`${answer.status} of ${path}`, `${JSON.stringify([...answer.headers])}${await answer.text()}`)
    }

  for (const file of readdirSync(join(folder, '.hysas'), { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, '.hysas', file)
    if (statSync(path).isFile()) look(`the file .hysas/${file}`, readFileSync(path, 'latin1'))
  }

  const workers = processesIn(folder).filter((pid) => commandOf(pid).includes('sandbox'))
  expect(workers.length).toBeGreaterThan(1)
  for (const pid of workers) look('the environment of a worker', readFileSync(`/proc/${pid}/environ`, 'utf8'))
  for (const pid of processesIn(folder)) look('a command line', commandOf(pid))
  expect([...new Set(found)]).toEqual([])
})

/** All of a value as text: DUMP compresses. */
async function textOf(redis: ReturnType<typeof connectRedis>, key: string): Promise<string> {
  const type = await redis.type(key)
  if (type === 'string') return (await redis.get(key)) ?? ''
  if (type === 'hash') return JSON.stringify(await redis.hgetall(key))
  if (type === 'list') return JSON.stringify(await redis.lrange(key, 0, -1))
  if (type === 'set') return JSON.stringify(await redis.smembers(key))
  if (type === 'zset') return JSON.stringify(await redis.zrange(key, '0', '-1'))
  if (type === 'stream') return JSON.stringify(await redis.xrange(key, '-', '+'))
  return ''
}
