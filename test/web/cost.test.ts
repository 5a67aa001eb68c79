import { get as httpGet, type IncomingMessage } from 'node:http'
import { afterAll, expect, it } from 'vitest'
import { createClient } from '../../src/client.js'
import { appendLogs } from '../../src/redis/log-stream.js'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis, startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { startTestWeb, TOKEN } from './fixture.js'

const server = await startRedis()
const names = namesOf(namespace())
const redis = connectRedis(server.url)
const client = await createClient({ redisUrl: server.url, namespace: names.namespace })
const { web } = await startTestWeb({ client, redis, settings: { namespace: names.namespace } })
const open = new Set<IncomingMessage>()
afterAll(async () => {
  for (const response of open) response.destroy()
  await client.close()
})

const INFO = names.info('Demo', 'a')
const PUB = names.pub('Demo', 'a')

/** Opens a stream of the API, and counts the events of a name that come. */
async function follow(path: string, event: string) {
  const response = await new Promise<IncomingMessage>((resolve) => {
    httpGet({ port: web.port, path: `/api/v1${path}`, headers: { authorization: `Bearer ${TOKEN}` } }, resolve)
  })
  open.add(response)
  response.on('error', () => {})
  const of = { text: '', seen: () => of.text.split(`event: ${event}\n`).length - 1 }
  response.setEncoding('utf8').on('data', (more: string) => {
    of.text += more
  })
  return of
}

/** A page that looks at a worker, with a tap on its channel. */
async function openPage() {
  const stream = await follow('/stream', 'workers')
  const log = await follow('/workers/a/logs/stream', 'lines')
  const tap = await follow(`/tap?channel=${PUB}`, 'messages')
  await until(() => stream.text.includes('event: snapshot'))
  return { stream, log, tap }
}
type OpenPage = Awaited<ReturnType<typeof openPage>>

/** Calls that Redis gets for all its clients while one and the same happens and every page is told of it. */
async function callsWhile(pages: readonly OpenPage[], turn: number): Promise<number> {
  await redis.config('RESETSTAT')
  for (let i = 1; i <= 8; i++) {
    const mark = `mark-${turn}-${i}`
    const beat = { nickname: 'a', heart_beat: Date.now() / 1000, status: 'started', error_msg: mark }
    await redis.publish(INFO, JSON.stringify(beat))
    await redis.publish(PUB, mark)
    const line = { level: 30, time: 1, type: 'Demo', nickname: 'a', msg: mark }
    await appendLogs(redis, names, [{ nickname: 'a', text: JSON.stringify(line) }])
    await until(() =>
      pages.every(({ stream, log, tap }) => [stream, log, tap].every(({ text }) => text.includes(mark))),
    )
  }
  const stats = await redis.info('commandstats')
  return [...stats.matchAll(/^cmdstat_[^:]+:calls=(\d+)/gm)].reduce((sum, [, calls]) => sum + Number(calls), 0)
}

it('ten pages cost Redis no more than one, with stream, log and tap', async () => {
  await redis.sadd(names.workers, 'a')
  await redis.hset(names.worker('a'), { type: 'Demo', nickname: 'a', wanted: '1', running: '1' })
  await redis.hset(INFO, { status: 'started', epoch: '1', heart_beat: String(Date.now() / 1000), started_at: '1' })
  const pages = [await openPage()]
  await until(async () => Number(await redis.publish(PUB, 'warm')) > 0)
  const forOne = await callsWhile(pages, 1)
  while (pages.length < 10) pages.push(await openPage())
  const forTen = await callsWhile(pages, 2)
  // what is read at fixed times may fall into one turn and not into the other
  expect(forTen).toBeLessThan(forOne * 2)
  const clients = String(await redis.client('LIST'))
    .trim()
    .split('\n').length
  expect(clients).toBeLessThan(8)
})
