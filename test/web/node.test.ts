import { Queue } from 'bullmq'
import request from 'supertest'
import { afterAll, describe, expect, it } from 'vitest'
import { createClient } from '../../src/client.js'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { startNode } from '../helpers/node.js'
import { connectRedis, redisUrl } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { bearer, TOKEN, VIEWER } from './fixture.js'

/** A real node with its page on a port of its own. */
const names = namesOf(namespace())
const node = await startNode({
  namespace: names.namespace,
  args: ['--port', '0'],
  env: { HYSAS_TOKEN: TOKEN, HYSAS_VIEWER_TOKEN: VIEWER },
})
const link = /http:\/\/\S+/.exec(node.output())?.[0] ?? ''
const http = request(new URL(link).origin)
const client = await createClient({ redisUrl: redisUrl(), namespace: names.namespace })
const redis = connectRedis()
const queueOf = (name: string) =>
  new Queue(name, { connection: redis, prefix: names.queuePrefix, skipMetasUpdate: true })
afterAll(() => client.close())

const get = (path: string) => http.get(path).set(...bearer())
const post = (path: string, body: object = {}) =>
  http
    .post(`/api/v1${path}`)
    .set(...bearer())
    .send(body)
const board = (path: string, body: object = {}) =>
  http
    .put(`/queues/api/queues${path}`)
    .set(...bearer())
    .send(body)
const statusOf = async (nickname: string) => (await client.show(nickname)).status

describe('the API of a node', () => {
  it('starts a worker, shows it, calls an operation, restarts and stops it', async () => {
    expect((await http.get('/readyz')).status).toBe(200)
    const started = await post('/workers', { type: 'Demo', nickname: 'ByApi', params: { everyMs: 50 } })
    expect(started.status).toBe(201)
    expect(started.body).toMatchObject({ result: 'started', node: node.name, pid: expect.any(Number) })

    const taken = await post('/workers', { type: 'Demo', nickname: 'ByApi' })
    expect(taken.status).toBe(409)
    expect(taken.body).toMatchObject({ code: 'NAME_TAKEN' })
    expect((await post('/workers', { type: 'Dmeo', nickname: 'X' })).body.code).toBe('UNKNOWN_TYPE')
    expect((await post('/workers', { type: 'Demo', nickname: 'X', params: { everyMs: 'often' } })).body.code).toBe(
      'BAD_PARAMS',
    )

    await until(async () => (await get('/api/v1/workers/ByApi')).body.received > 3)
    expect((await get('/api/v1/workers/ByApi')).body.by).toMatch(/^web:operator .*127\.0\.0\.1$/)
    await until(async () =>
      (await get('/metrics')).text.includes('hysas_worker_published_total{type="Demo",nickname="ByApi"'),
    )
    expect(await client.restarts(['ByApi', 'Nobody'])).toEqual(new Map([['ByApi', 0]]))
    const level = await post('/workers/ByApi/operations/logLevel', { args: { level: 'debug' } })
    expect(level.status).toBe(200)
    const unknown = await post('/workers/ByApi/operations/fly', {})
    expect(unknown.body.code).toBe('UNKNOWN_OPERATION')

    const again = await post('/workers/ByApi/restart')
    expect(again.body.epoch).toBeGreaterThan(started.body.epoch)
    expect((await post('/workers/ByApi/stop')).body).toMatchObject({ result: 'stopped' })
    expect((await post('/workers/ByApi/stop')).body).toMatchObject({ result: 'unchanged' })
    await until(async () => (await get('/api/v1/events?kind=command&nickname=ByApi')).body.length >= 3)
    const [event] = (await get('/api/v1/events?kind=command&nickname=ByApi')).body
    expect(event.source).toMatch(/^web:operator/)
    const { body: counts } = await get('/api/v1/events/counts?bucketMs=3600000&kind=command')
    expect(counts).toEqual([{ time: expect.any(Number), kind: 'command', count: expect.any(Number) }])
  })
})

describe('Bull Board of a node', () => {
  it('starts and stops a worker by a job added by hand', async () => {
    const add = (name: string, data: object) =>
      http
        .post('/queues/api/queues/Command/add')
        .set(...bearer())
        .send({ name, data, options: {} })
    expect((await add('start', { type: 'Demo', nickname: 'ByHand', params: {} })).status).toBe(200)
    await until(async () => (await statusOf('ByHand')) === 'started')
    expect((await add('stop', { nickname: 'ByHand' })).status).toBe(200)
    await until(async () => (await statusOf('ByHand')) === 'terminated')
  })

  it('does no lasting harm: what is done to queues there is undone', async () => {
    await client.start('Demo', 'Steady', { everyMs: 50 })
    const demo = queueOf('Demo')
    const command = queueOf('Command')

    expect((await board('/Demo/pause')).status).toBe(200)
    await until(async () => !(await demo.isPaused()), { what: 'Demo going on' })
    expect((await board('/pause')).status).toBe(200)
    await until(async () => !(await demo.isPaused()) && !(await command.isPaused()), { what: 'all going on' })

    await until(
      async () => {
        const events: { message: string; source: string }[] = (await get('/api/v1/events?kind=command')).body
        const found = events.find(({ message }) => message === 'Bull Board: PUT /Demo/pause')
        return /^web:operator .*127\.0\.0\.1$/.test(found?.source ?? '')
      },
      { what: 'a record of who paused the queue' },
    )

    expect((await board('/Demo/concurrency', { concurrency: 1 })).status).toBe(200)
    await until(async () => !(await demo.getGlobalConcurrency()), { what: 'no bound of concurrency' })
    expect((await board('/Demo/rate-limit', { max: 1, duration: 60_000 })).status).toBe(200)
    await until(async () => !(await demo.getGlobalRateLimit()), { what: 'no bound of rate' })

    const before = (await client.show('Steady')).published
    // The board obliterates only what is paused; so at once after it, before that is undone.
    await until(async () => {
      await board('/Demo/pause')
      return (await board('/Demo/obliterate', { force: true })).ok
    })
    await until(
      async () => {
        const { status, published, epoch } = await client.show('Steady')
        return (
          status === 'started' && epoch !== null && published > 0 && (await demo.getJobCountByTypes('active')) === 1
        )
      },
      { what: `Steady with a job again (it had published ${before})`, timeoutMs: 20_000 },
    )
    expect((await client.start('Demo', 'Later')).result).toBe('started')
    await Promise.all([demo.close(), command.close()])
  })

  it('can not end Monitor by its scheduler', async () => {
    const schedulers = (await get('/queues/api/job-schedulers')).body.schedulers as { id: string; queueName: string }[]
    const monitor = schedulers.find(({ queueName }) => queueName === 'Monitor')
    expect(monitor).toBeDefined()
    const path = `/Monitor/job-schedulers/${encodeURIComponent(String(monitor?.id))}`
    const edited = await http
      .patch(`/queues/api/queues${path}`)
      .set(...bearer())
      .send({ every: 3_600_000 })
    expect(edited.ok).toBe(true)
    const queue = queueOf('Monitor')
    await until(async () => (await queue.getJobSchedulers())[0]?.every === 1000, {
      what: 'the old period',
      timeoutMs: 15_000,
    })
    expect((await board(`${path}/remove`)).ok).toBe(true)
    await until(async () => (await queue.getJobSchedulersCount()) === 1, { what: 'the scheduler', timeoutMs: 15_000 })
    await queue.close()
  })
})
