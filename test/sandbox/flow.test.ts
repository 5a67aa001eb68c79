import { beforeAll, expect, test } from 'vitest'
import type { Publishing, Receiving } from '../../src/contract.js'
import type { RedisServer } from '../helpers/redis-server.js'
import { startRedisServer } from '../helpers/redis-server.js'
import { until } from '../helpers/until.js'
import { playNode, startWorker } from './harness.js'

// a Redis of its own: its limits are small, and its clients are killed
let server: RedisServer
let node: ReturnType<typeof playNode>

const SPEAKER = (publishing: Publishing) => `
  import { defineProcessor } from 'hysas'
  const text = 'x'.repeat(100)
  let n = 0
  export default defineProcessor({
    publishing: ${JSON.stringify(publishing)},
    start() {},
    operations: {
      say: {
        run: async (ctx, { count, channel, each = text }) => {
          let last
          for (let i = 0; i < count; i++) {
            last = ctx.publish({ n: n++, text: each }, channel ? { channel } : {})
            if (i % 50 === 0) await ctx.drained()
          }
          return last
        },
      },
    },
  })`
/** Notes the sum and the order of what it hears. */
const LISTENER = (source: object, receiving: Receiving = {}, receive = '') => `
  import { defineProcessor } from 'hysas'
  let last = -1, disorder = 0, at = 0
  export default defineProcessor({
    heartbeatSeconds: 0.1,
    subscribe: ${JSON.stringify(source)},
    receiving: ${JSON.stringify(receiving)},
    ${receive ? `async receive(ctx, m) { if (m.data.n <= last) disorder++; last = m.data.n; ${receive} },` : 'receive(ctx, m) { if (m.data.n <= last) disorder++; last = m.data.n },'}
    operations: { seen: { run: () => ({ last, disorder }) } },
  })`

beforeAll(async () => {
  server = await startRedisServer({ args: ['--client-output-buffer-limit', 'pubsub 1mb 1mb 1'] })
  node = playNode({ url: server.url })
  return () => server.stop()
})

async function start(type: string, source: string, nickname: string) {
  const worker = await startWorker(node, source, { nickname, file: `${type}.ts` })
  await until(() => worker.child.said('started'))
  const call = async (operation_name: string, kwargs: object = {}): Promise<unknown> => {
    const reply = `${nickname}-${Math.random().toString(36).slice(2)}`
    const message = JSON.stringify({ type: 'sys', operation_name, kwargs, reply })
    await until(async () => (await node.redis.publish(node.names.workerCommand(type, nickname), message)) > 0)
    const answer = await node.redis.blpop(node.names.reply(reply), 30)
    const { ok, value, error } = JSON.parse(answer?.[1] ?? '{}')
    if (!ok) throw Object.assign(new Error(error?.message), { code: error?.code })
    return value
  }
  return { ...worker, call }
}

const numbers = (info: Record<string, string>) => ({
  received: Number(info.received),
  lost: Number(info.lost),
  dropped: Number(info.dropped),
})

for (const publishing of [{}, { frames: true }, { frames: true, codec: 'msgpack' }, { codec: 'msgpack' }] as const) {
  const how = JSON.stringify(publishing)

  test(`what is said as ${how} comes in order, each message once, and what a cut costs is counted exactly`, async () => {
    const name = how.replace(/\W/g, '') || 'plain'
    const speaker = await start('Speaker', SPEAKER(publishing), `say-${name}`)
    const listener = await start('Listener', LISTENER({ nickname: `say-${name}` }), `hear-${name}`)
    await speaker.call('say', { count: 5000 })
    await until(async () => numbers(await listener.info()).received === 5000)
    expect(await listener.call('seen')).toEqual({ last: 4999, disorder: 0 })
    expect(numbers(await listener.info())).toEqual({ received: 5000, lost: 0, dropped: 0 })

    listener.child.process.kill('SIGSTOP')
    const list = String(await node.redis.client('LIST'))
    const line = list.split('\n').find((one) => one.includes(`name=hysas:subscriber:hear-${name} `))
    await node.redis.client('KILL', 'ID', /^id=(\d+)/.exec(line ?? '')?.[1] ?? '')
    await speaker.call('say', { count: 700 })
    listener.child.process.kill('SIGCONT')
    await until(async () => numbers(await listener.info()).lost === 700)
    await speaker.call('say', { count: 300 })
    await until(async () => numbers(await listener.info()).received === 5300)
    expect(numbers(await listener.info())).toEqual({ received: 5300, lost: 700, dropped: 0 })
    expect(await listener.call('seen')).toEqual({ last: 5999, disorder: 0 })
    await until(async () => (await speaker.info()).published === '6000')
  })
}

for (const whenFull of ['dropOldest', 'dropNewest'] as const) {
  test(`a receiver that is slower than what comes drops with ${whenFull}, and counts by channel`, async () => {
    const channel = `many-${whenFull}`
    const speaker = await start('Speaker', SPEAKER({}), `fast-${whenFull}`)
    const gate = `await ctx.redis.blpop('open-${whenFull}', 0)
      await ctx.redis.lpush('open-${whenFull}', 1)`
    const source = LISTENER({ channel }, { limitMessages: 100, whenFull }, gate)
    const listener = await start('Listener', source, `slow-${whenFull}`)
    await speaker.call('say', { count: 1000, channel })
    // one is being received, 100 wait
    await until(async () => numbers(await listener.info()).dropped === 899)
    expect(JSON.parse((await listener.info()).dropped_by ?? '')).toEqual({ [channel]: 899 })
    await node.redis.lpush(`open-${whenFull}`, 1)
    await until(async () => numbers(await listener.info()).received === 101)
    const last = whenFull === 'dropOldest' ? 999 : 100
    expect(await listener.call('seen')).toEqual({ last, disorder: 0 })
    expect(listener.child.log.filter(({ msg }) => /faster than they were received/.test(msg ?? ''))).toHaveLength(1)
  })
}

test('a receiver that waits reads no more until there is room, drops nothing, and answers meanwhile', async () => {
  const speaker = await start('Speaker', SPEAKER({}), 'fast-wait')
  const gate = `await ctx.redis.blpop('open-wait', 0)
    await ctx.redis.lpush('open-wait', 1)`
  const source = LISTENER({ channel: 'waited-for' }, { limitMessages: 10, whenFull: 'wait' }, gate)
  const listener = await start('Listener', source, 'slow-wait')
  await speaker.call('say', { count: 2000, channel: 'waited-for' })
  expect(await listener.call('seen')).toEqual({ last: 0, disorder: 0 })
  await node.redis.lpush('open-wait', 1)
  await until(async () => numbers(await listener.info()).received === 2000)
  expect(numbers(await listener.info())).toEqual({ received: 2000, lost: 0, dropped: 0 })
  expect(await listener.call('seen')).toEqual({ last: 1999, disorder: 0 })
})

test('what Redis does not keep for a receiver that waits too long is counted as lost', async () => {
  const speaker = await start('Speaker', SPEAKER({}), 'faster-wait')
  const gate = `await ctx.redis.blpop('open-late', 0)
    await ctx.redis.lpush('open-late', 1)`
  const source = LISTENER({ channel: 'not-kept' }, { limitMessages: 10, whenFull: 'wait' }, gate)
  const listener = await start('Listener', source, 'slower-wait')
  await until(async () => String(await node.redis.client('LIST')).includes('sub=3'), { what: 'it hears' }).catch(
    () => {},
  )
  const each = 'y'.repeat(10_000)
  await speaker.call('say', { count: 1500, channel: 'not-kept', each })
  await node.redis.lpush('open-late', 1)
  await until(
    async () => {
      const { received, lost } = numbers(await listener.info())
      return lost > 0 && received + lost === 1500
    },
    { timeoutMs: 20_000 },
  )
  expect(numbers(await listener.info()).dropped).toBe(0)
})

test('beyond the limit of what may wait for Redis, publishing fails with a code, or waits where it is to', async () => {
  const source = (whenFull: string) => `
    import { defineProcessor } from 'hysas'
    export default defineProcessor({
      publishing: { limitBytes: 100000, whenFull: '${whenFull}' },
      start() {},
      operations: {
        burst: {
          run: async (ctx, { count }) => {
            const all = Array.from({ length: count }, () => ctx.publish('z'.repeat(1000)))
            const settled = await Promise.allSettled(all)
            const codes = settled.filter((one) => one.status === 'rejected').map((one) => one.reason.code)
            await ctx.publish('afterwards')
            return { refused: codes.length, codes: [...new Set(codes)] }
          },
        },
      },
    })`
  const failing = await start('Probe', source('fail'), 'failing')
  const waiting = await start('Probe', source('wait'), 'waiting')
  expect(await failing.call('burst', { count: 90 })).toEqual({ refused: 0, codes: [] })
  const refused = (await failing.call('burst', { count: 150 })) as { refused: number; codes: string[] }
  expect(refused).toEqual({ refused: 150 - 97, codes: ['PUBLISH_BACKLOG'] })
  expect(await waiting.call('burst', { count: 150 })).toEqual({ refused: 0, codes: [] })
  expect(await waiting.call('burst', { count: 300 })).toMatchObject({ codes: ['PUBLISH_BACKLOG'] })
})

test('a Redis that refuses for a while, or forgets its scripts, or cuts a publisher off, gets all in order, each once', async () => {
  await start('Speaker', SPEAKER({}), 'patient')
  const listener = await start('Listener', LISTENER({ nickname: 'patient' }), 'hears-patient')
  // no answer is asked for: a Redis that refuses takes none
  const say = () => {
    const message = { type: 'sys', operation_name: 'say', kwargs: { count: 500 } }
    return node.redis.publish(node.names.workerCommand('Speaker', 'patient'), JSON.stringify(message))
  }
  const said = (async () => {
    for (let said = 0; said < 20_000; said += 500) {
      expect(await say()).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  const id = async () => {
    const list = String(await node.redis.client('LIST'))
    return list.split('\n').flatMap((line) => (/cmd=evalsha/.test(line) && /^id=(\d+)/.exec(line)?.[1]) || [])
  }
  for (let round = 0; round < 4; round++) {
    await node.redis.config('SET', 'maxmemory', '1')
    await new Promise((resolve) => setTimeout(resolve, 30))
    await node.redis.config('SET', 'maxmemory', '0')
    await node.redis.script('FLUSH')
    for (const one of await id()) await node.redis.client('KILL', 'ID', one)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await said
  await until(async () => numbers(await listener.info()).received >= 20_000)
  expect(await listener.call('seen')).toEqual({ last: 19_999, disorder: 0 })
  expect(await node.redis.hget(node.names.published, node.names.pub('Speaker', 'patient'))).toBe('20000')
})
