import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { namesOf } from '../../src/redis/names.js'
import { Batch } from '../../src/sandbox/batch.js'
import { createFence } from '../../src/sandbox/fence.js'
import { createPublisher } from '../../src/sandbox/publisher.js'
import { createState } from '../../src/sandbox/state.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { ISOLATIONS, playNode, startWorker } from './harness.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

const WAYS: [string, (n: number) => string][] = [
  ['two channels that take turns', (n) => (n % 2 ? 'a' : 'b')],
  ['a channel for each message', (n) => `user.${n}`],
]

test.each(WAYS)('what waits is counted with what it takes in memory: %s', (_, channelOf) => {
  const batches: Batch[] = []
  gc()
  const before = process.memoryUsage().heapUsed
  for (let n = 0; n < 50_000; n++) {
    const last = batches.at(-1)
    const batch = last && !last.isFull ? last : new Batch(batches.length)
    if (batch !== last) batches.push(batch)
    void batch.add(channelOf(n), { payload: `${n}`, isData: true, bytes: 20 }, {})
  }
  gc()
  const taken = process.memoryUsage().heapUsed - before
  const counted = batches.reduce((sum, { bytes }) => sum + bytes, 0)
  expect(taken / counted).toBeGreaterThan(0.5)
  expect(taken / counted).toBeLessThan(1.7)
})

test('what waits when the fence closes is not sent any more, and whoever waits for it is told', async () => {
  const names = namesOf(namespace())
  const redis = connectRedis()
  const run = { type: 'Probe', nickname: 'closed', token: 't' }
  await redis.hset(names.worker('closed'), 'token', 't')
  const fence = createFence(run, 1, () => {})
  const publisher = createPublisher({ redis, names, fence, state: createState() })
  const all = Array.from({ length: 30_000 }, (_, n) => publisher.publish(n, names.pub('Probe', 'closed')))
  await Promise.resolve()
  fence.close()
  const settled = await Promise.allSettled(all)
  await publisher.flush()
  const sent = settled.filter(({ status }) => status === 'fulfilled').length
  expect(sent).toBeLessThan(10_000) // what was under way
  expect(settled.at(-1)).toMatchObject({ reason: { code: 'STALE_RUN' } })
  expect(Number(await redis.hget(names.published, names.pub('Probe', 'closed')))).toBe(sent)
})

describe.each(ISOLATIONS)('%s isolation:', (isolation) => {
  const node = playNode({ isolation })

  test('the limit of what may be published at once holds for any channels, and what has gone leaves all of it free', async () => {
    const source = `
    import { defineProcessor } from 'hysas'
    export default defineProcessor({
      publishing: { limitBytes: 100_000 },
      start() {},
      operations: {
        burst: { run: async (ctx, { channels }) => {
          const all = []
          for (let n = 0; n < 7000; n++) all.push(ctx.publish('x', { channel: 'c' + (n % channels) }))
          const settled = await Promise.allSettled(all)
          return settled.filter(({ status }) => status === 'fulfilled').length
        } },
      },
    })`
    const { child } = await startWorker(node, source)
    await until(() => child.said('started'))
    let asked = 0
    const burst = async (channels: number) => {
      const reply = `${isolation}-${++asked}`
      const message = JSON.stringify({ type: 'sys', operation_name: 'burst', kwargs: { channels }, reply })
      await node.redis.publish(node.names.workerCommand('Probe', 'probe-1'), message)
      const answer = await node.redis.blpop(node.names.reply(reply), 30)
      return JSON.parse(answer?.[1] ?? '{}').value as number
    }
    const [one, two, each] = [await burst(1), await burst(2), await burst(7000)]
    expect(one).toBeGreaterThan(5000)
    expect(two).toBeGreaterThan(400)
    expect(two).toBeLessThan(510)
    expect(each).toBeGreaterThan(150)
    expect(each).toBeLessThan(200)
    expect([await burst(1), await burst(2), await burst(7000)]).toEqual([one, two, each])
  })
})
