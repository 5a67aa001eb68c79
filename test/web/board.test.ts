import { Queue } from 'bullmq'
import { afterAll, describe, expect, it } from 'vitest'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { bearer, startTestWeb, typeView, VIEWER } from './fixture.js'

const names = namesOf(namespace())
const redis = connectRedis()
const { http, fake } = await startTestWeb({ settings: { namespace: names.namespace } })
const queue = new Queue('Command', { connection: redis, prefix: names.queuePrefix })
afterAll(() => queue.close())

const queuesFor = async (token?: string): Promise<{ name: string; readOnlyMode: boolean }[]> =>
  (await http.get('/queues/api/queues').set(...bearer(token))).body.queues

describe('Bull Board', () => {
  it('shows the queue of commands and of every type, new ones without a restart', async () => {
    expect((await queuesFor()).map(({ name }) => name)).toEqual(['Command', 'Demo'])
    fake.types.push(typeView({ type: 'Fresh' }))
    await until(async () => (await queuesFor()).some(({ name }) => name === 'Fresh'), { everyMs: 100 })
  })

  it('takes a command by hand from an operator', async () => {
    const job = { name: 'start', data: { type: 'Demo', nickname: 'ByHand', params: {} }, options: {} }
    const answer = await http
      .post('/queues/api/queues/Command/add')
      .set(...bearer())
      .send(job)
    expect(answer.status).toBe(200)
    const [waiting] = await queue.getWaiting()
    expect(waiting?.name).toBe('start')
    expect(waiting?.data).toEqual(job.data)
  })

  it('records what is done there, by whom and from where', async () => {
    await http.put('/queues/api/queues/Demo/pause').set(...bearer())
    await until(() => fake.recorded.length > 0)
    expect(fake.recorded.at(-1)).toMatchObject({
      kind: 'command',
      source: expect.stringMatching(/^web:operator .*127\.0\.0\.1$/),
      message: expect.stringMatching(/^Bull Board: PUT \/Demo\/pause/),
    })
    await http.put('/queues/api/queues/Demo/resume').set(...bearer())
    const count = fake.recorded.length
    await http.get('/queues/api/queues').set(...bearer())
    expect(fake.recorded.length).toBe(count)
  })

  it('is read-only for a viewer', async () => {
    expect((await queuesFor(VIEWER)).every(({ readOnlyMode }) => readOnlyMode)).toBe(true)
    expect((await queuesFor()).some(({ readOnlyMode }) => readOnlyMode)).toBe(false)
  })

  it('is one page of ours that asks no other host', async () => {
    const page = await http.get('/queues').set(...bearer())
    expect(page.status).toBe(200)
    expect(page.text).toContain('HySAS queues')
    expect(page.text).not.toMatch(/(?:src|href)="https?:/)
    const script = /src="(static\/js\/main[^"]+)"/.exec(page.text)?.[1]
    expect((await http.get(`/queues/${script}`).set(...bearer())).status).toBe(200)
    expect((await http.get('/queues/queue/Command').set(...bearer())).status).toBe(200)
  })

  it('writes nothing of its own into Redis', async () => {
    const keys = await redis.keys(`${names.namespace}*`)
    expect(keys.filter((key) => !/:queue:(Command|Demo):/.test(key))).toEqual([])
  })
})
