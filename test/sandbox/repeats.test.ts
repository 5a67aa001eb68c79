import { afterAll, describe, expect, test } from 'vitest'
import type { Delivery } from '../../src/redis/delivery.js'
import { namesOf } from '../../src/redis/names.js'
import { createHub } from '../../src/sandbox/hub.js'
import { createRepeatCheck } from '../../src/sandbox/repeats.js'
import { tune } from '../../src/sandbox/source.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { ISOLATIONS, playNode, startWorker } from './harness.js'

const names = namesOf(namespace())
const redis = connectRedis()
const hub = createHub({ names, redis, connect: connectRedis })
afterAll(() => hub.close())

test('a message that comes by channel and patterns is one, and the same by a pattern again is the next', () => {
  const { isRepeat, reset } = createRepeatCheck()
  const x = Buffer.from('x')
  expect([undefined, 'p', 'q'].map((pattern) => isRepeat(pattern, 'c', x))).toEqual([false, true, true])
  expect([undefined, 'p', 'q'].map((pattern) => isRepeat(pattern, 'c', x))).toEqual([false, true, true])
  expect(isRepeat('p', 'd', x)).toBe(false)
  reset()
  expect(isRepeat('q', 'd', x)).toBe(false)
  expect(isRepeat('p', 'd', x)).toBe(true)
})

function join() {
  const heard: Delivery[] = []
  const seat = hub.join({ onCut() {}, onBack() {}, onLost() {} })
  const deliver = (one: Delivery) => heard.push(one)
  return { heard, hear: (source: { type?: string; nickname?: string }) => seat.add(tune(names, source), deliver) }
}

test('the same text again, when another pattern has taken the place of the one before, is heard', async () => {
  const channel = names.pub('Says', 'same')
  const [a, b] = [join(), join()]
  for (let round = 1; round <= 5; round++) {
    for (const { heard, hear, source } of [
      { ...a, source: { type: 'Says' } },
      { ...b, source: { nickname: 'same' } },
    ]) {
      const end = await hear(source)
      expect(await redis.publish(channel, 'same')).toBe(1)
      await until(() => heard.length === round)
      await end()
    }
  }
})

test('a message is heard once while patterns come and go', async () => {
  const channel = names.pub('Says', 'once')
  const steady = join()
  await steady.hear({ type: 'Says' })
  await steady.hear({ nickname: 'once' })
  const moody = join()
  const done = { value: false }
  const changing = (async () => {
    while (!done.value) await (await moody.hear({ nickname: 'other' }))()
  })()
  for (let n = 1; n <= 2000; n++) {
    void redis.publish(channel, 'once')
    if (n % 20 === 0) await redis.ping()
  }
  await until(() => steady.heard.length >= 2000)
  done.value = true
  await changing
  await redis.publish(channel, 'last')
  await until(() => steady.heard.at(-1)?.raw === 'last')
  expect(steady.heard).toHaveLength(2001)
})

describe.each(ISOLATIONS)('%s isolation:', (isolation) => {
  const node = playNode({ isolation })

  test('a worker that changes its sources hears the same text by each, and nothing is counted as lost', async () => {
    // told by lists: a command would come between the messages, over the same connection
    const [wish, done] = [`${node.names.namespace}-wish`, `${node.names.namespace}-done`]
    const source = `
    import { defineProcessor } from 'hysas'
    export default defineProcessor({
      heartbeatSeconds: 0.1,
      async produce(ctx) {
        let subscription
        while (!ctx.signal.aborted) {
          const [, by] = (await ctx.redis.blpop('${wish}', 1)) ?? []
          if (!by) continue
          await subscription?.unsubscribe()
          subscription = await ctx.subscribe(JSON.parse(by), () => {})
          await ctx.redis.rpush('${done}', by)
        }
      },
    })`
    const hear = async (by: object) => {
      await node.redis.rpush(wish, JSON.stringify(by))
      expect(await node.redis.blpop(done, 30)).toBeTruthy()
    }
    const says = `
    import { defineProcessor } from 'hysas'
    export default defineProcessor({ start() {}, operations: { say: { run: (ctx) => ctx.publish('same') } } })`
    const ears = await startWorker(node, source, { nickname: 'ears' })
    const mouth = await startWorker(node, says, { nickname: 'same', file: 'Says.ts' })
    for (const { child } of [ears, mouth]) await until(() => child.said('started'))
    const say = async (reply: string) => {
      const message = JSON.stringify({ type: 'sys', operation_name: 'say', reply })
      await node.redis.publish(node.names.workerCommand('Says', 'same'), message)
      const answer = await node.redis.blpop(node.names.reply(reply), 30)
      return JSON.parse(answer?.[1] ?? '{}').value as unknown
    }
    for (let n = 1; n <= 6; n++) {
      await hear(n % 2 ? { type: 'Says' } : { nickname: 'same' })
      expect(await say(`${isolation}-${n}`)).toBe(1)
      await until(async () => (await ears.info()).received === String(n))
    }
    // the mark that a new source asks for compares what was published with what came
    await hear({ type: 'Says' })
    expect((await ears.info()).lost).toBe('0')
  })
})
