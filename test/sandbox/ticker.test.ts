import { describe, expect, test } from 'vitest'
import { END_JOB, monotonicMs } from '../../src/protocol.js'
import { until } from '../helpers/until.js'
import { ISOLATIONS, listen, playNode } from './harness.js'

describe.each(ISOLATIONS)('%s isolation:', (isolation) => {
  const node = playNode({ isolation })
  const { names, redis } = node

  const SOURCE = `
  import { defineProcessor } from 'hysas'
  import { z } from 'zod'
  let n = 0
  export default defineProcessor({
    heartbeatSeconds: 0.1,
    params: z.object({ step: z.number().default(1), waitMs: z.number().default(0), failAt: z.number().default(-1) }),
    every: 1000,
    async tick(ctx) {
      n += ctx.params.step
      await ctx.publish(n)
      if (n === ctx.params.failAt) throw new Error('a bad tick')
      await ctx.sleep(ctx.params.waitMs)
    },
  })`

  async function repeatable(nickname: string, params: object = {}) {
    const [child, compiled] = await Promise.all([node.child(), node.compile(SOURCE)])
    await child.load(compiled)
    const worker = await node.want('Probe', nickname, params)
    return { child, worker, info: () => node.info('Probe', nickname) }
  }

  test('ticks share module state, token and epoch, and the worker is started between them', async () => {
    const heard = await listen(redis, names.pub('Probe', 'clock'))
    const { child, worker, info } = await repeatable('clock')
    const next = Date.now() + 5000
    await redis.zadd(`${names.queuePrefix}:Probe:repeat`, next, 's-clock')
    for (const [n, due] of [1_800_000_000_000, 1_800_000_001_000, 1_800_000_004_000].entries()) {
      child.start(await node.tickOf('Probe', worker, due))
      expect(await child.result(n)).toEqual({ value: { how: 'ticked', nickname: 'clock' } })
    }
    expect(heard).toEqual(['1', '2', '3'])
    const claims = child.messages.filter(({ hysas }) => hysas === 'claimed')
    expect(new Set(claims.map(({ epoch, token }) => `${epoch} ${token}`)).size).toBe(1)
    expect(child.messages.filter(({ hysas }) => hysas === 'started')).toHaveLength(1)
    const fields = await info()
    expect(fields).toMatchObject({ status: 'started', ticks: '3', missed: '2', published: '3', errors: '0' })
    expect(fields).toMatchObject({ next_tick: (next / 1000).toFixed(3), threads: '{"tick":"done"}' })
    expect(Number(fields.last_tick)).toBeGreaterThan(1e9)
    expect(await redis.hget(names.worker('clock'), 'running')).toBe('0')
  })

  test('a worker may be called as the end is, or as anything', async () => {
    const { child, worker } = await repeatable('end')
    child.start(await node.tickOf('Probe', worker))
    expect(await child.result()).toEqual({ value: { how: 'ticked', nickname: 'end' } })
  })

  test('changed parameters take effect at the next tick, and bad ones are refused', async () => {
    const heard = await listen(redis, names.pub('Probe', 'params'))
    const { child, worker } = await repeatable('params', { step: 5 })
    child.start(await node.tickOf('Probe', worker))
    await child.result(0)
    await redis.hset(names.worker('params'), 'params', '{"step":10}')
    child.start(await node.tickOf('Probe', worker, Date.now() + 1000))
    await child.result(1)
    expect(heard).toEqual(['5', '15'])
    await redis.hset(names.worker('params'), 'params', '{"step":"x"}')
    child.start(await node.tickOf('Probe', worker, Date.now() + 2000))
    expect(await child.result(2)).toMatchObject({ failure: { refused: true, code: 'BAD_PARAMS' } })
  })

  test('a tick that fails is told, and the next one runs in the same child', async () => {
    const { child, worker, info } = await repeatable('stumbler', { failAt: 1 })
    child.start(await node.tickOf('Probe', worker))
    expect(await child.result(0)).toMatchObject({ failure: { message: 'a bad tick' } })
    expect(await info()).toMatchObject({ errors: '1', ticks: '1', threads: '{"tick":"failed"}' })
    expect((await info()).error_msg).toMatch(/a bad tick/)
    const failed = await redis.hget(names.worker('stumbler'), 'lock')
    await redis.del(failed ?? '') // as when the node ends the job
    child.start(await node.tickOf('Probe', worker, Date.now() + 1000))
    expect(await child.result(1)).toMatchObject({ value: { how: 'ticked' } })
  })

  test('a tick that overlaps the one of another child is skipped and counted', async () => {
    const first = await repeatable('slow', { waitMs: 5000 })
    first.child.start(await node.tickOf('Probe', first.worker))
    await until(() => first.child.said('started'))
    const second = await node.child()
    await second.load(await node.compile(SOURCE))
    second.start(await node.tickOf('Probe', first.worker, Date.now() + 1000))
    expect(await second.result()).toEqual({ value: { how: 'skipped', nickname: 'slow' } })
    await until(async () => Number((await first.info()).heart_beat) * 1000 > Date.now() - 300)
    expect(await first.info()).toMatchObject({ skipped: '1' })
    const began = Date.now()
    first.child.cancel('stop')
    expect(await first.child.result()).toEqual({ value: { how: 'stopped', nickname: 'slow' } })
    expect(Date.now() - began).toBeLessThan(1000)
    expect(await first.info()).toMatchObject({ status: 'terminated', stop_info: 'stopped by command' })
  })

  test('a tick that was skipped is not one that was missed', async () => {
    const { child, worker, info } = await repeatable('leaving')
    const begun = 1_800_000_000_000
    child.start(await node.tickOf('Probe', worker, begun))
    await child.result(0)
    await redis.hset(names.info('Probe', 'leaving'), 'skipped', '2')
    child.start(await node.tickOf('Probe', worker, begun + 3000)) // the two between were skipped
    await child.result(1)
    expect(await info()).toMatchObject({ ticks: '2', missed: '0', skipped: '2' })
    const epoch = Number(await redis.hget(names.worker('leaving'), 'epoch'))
    const tick = await node.tickOf('Probe', worker, begun + 6000)
    const claimed = { epoch, nowMs: Date.now(), atMs: monotonicMs(), skipped: 3 } // a claim ages: it is used at once
    child.start(tick, claimed) // one skipped, one missed
    const answer = await child.result(2)
    const { fields = [] } = 'value' in answer ? answer.value : {}
    expect(fields[fields.indexOf('missed') + 1]).toBe('1')
    child.start(await node.tickOf('Probe', worker, begun + 8000)) // Redis has lost the count: one missed
    await child.result(3)
    expect(await info()).toMatchObject({ ticks: '4', missed: '2' })
  })

  test('what is subscribed to without being waited for ends with its tick, too', async () => {
    const source = `
    import { defineProcessor } from 'hysas'
    export default defineProcessor({
      every: 1000,
      tick(ctx) { void ctx.subscribe({ channel: 'passing-${names.namespace}' }, () => console.log('heard')) },
    })`
    const [child, compiled] = await Promise.all([node.child(), node.compile(source, 'Passing.ts')])
    await child.load(compiled)
    const worker = await node.want('Passing', 'passing')
    for (let n = 0; n < 3; n++) {
      child.start(await node.tickOf('Passing', worker))
      await child.result(n)
    }
    const channel = `passing-${names.namespace}`
    const heardBy = async () => Number((await redis.pubsub('NUMSUB', channel))[1])
    await until(async () => (await heardBy()) === 0)
    expect(await redis.publish(channel, 'anyone?')).toBe(0)
  })

  test('a worker is ended between two ticks', async () => {
    const { child, worker, info } = await repeatable('pausing')
    child.start(await node.tickOf('Probe', worker))
    await child.result(0)
    child.cancel('stop') // no tick is at work: it means nothing
    child.start({ ...(await node.tickOf('Probe', worker)), name: END_JOB, data: { ...worker.data, reason: 'stop' } })
    expect(await child.result(1)).toEqual({ value: { how: 'stopped', nickname: 'pausing' } })
    expect(await info()).toMatchObject({ status: 'terminated', stop_info: 'stopped by command' })
  })

  test('a tick whose name was taken over ends as stale', async () => {
    const { child, worker } = await repeatable('taken', { waitMs: 5000 })
    child.start(await node.tickOf('Probe', worker))
    await until(() => child.said('started'))
    await redis.hset(names.worker('taken'), 'token', 'another')
    expect(await child.result()).toEqual({ value: { how: 'stale', nickname: 'taken' } })
  })

  test('a tick that the node has claimed neither claims nor writes its end, and tells what is to be written', async () => {
    const heard = await listen(redis, names.pub('Probe', 'given'))
    const { child, worker, info } = await repeatable('given')
    child.start(await node.tickOf('Probe', worker))
    await child.result(0)
    const before = await redis.hgetall(names.worker('given'))
    const claimed = { epoch: Number(before.epoch), nowMs: 1_800_000_000_000, atMs: monotonicMs() }
    child.start({ ...(await node.tickOf('Probe', worker)), token: 'not that of the lock' }, claimed)
    const answer = await child.result(1)
    expect(answer).toMatchObject({ value: { how: 'ticked', nickname: 'given' } })
    const { fields = [] } = 'value' in answer ? answer.value : {}
    expect(fields).toEqual(expect.arrayContaining(['ticks', '2', 'last_tick', '1800000000', 'published']))
    const { batch: _published, ...held } = before
    expect(await redis.hgetall(names.worker('given'))).toMatchObject(held)
    expect(await info()).toMatchObject({ ticks: '1' })
    child.start({ ...(await node.tickOf('Probe', worker)) }, { ...claimed, params: '{"step":5}' })
    await child.result(2)
    expect(heard).toEqual(['1', '2', '7'])
    expect(child.messages.filter(({ hysas }) => hysas === 'claimed')).toHaveLength(1)
  })

  test('a tick that the node claimed too long ago, or for another run, claims the name itself', async () => {
    const { child, worker } = await repeatable('late')
    child.start(await node.tickOf('Probe', worker))
    await child.result(0)
    const epoch = Number(await redis.hget(names.worker('late'), 'epoch'))
    const late = { epoch, nowMs: Date.now(), atMs: monotonicMs() - 2000 }
    child.start({ ...(await node.tickOf('Probe', worker)), token: 'not that of the lock' }, late)
    expect(await child.result(1)).toEqual({ value: { how: 'lost', nickname: 'late' } })
    const others = { epoch: epoch - 1, nowMs: Date.now(), atMs: monotonicMs() }
    child.start({ ...(await node.tickOf('Probe', worker)), token: 'not that of the lock' }, others)
    expect(await child.result(2)).toEqual({ value: { how: 'lost', nickname: 'late' } })
    child.start(await node.tickOf('Probe', worker, Date.now() + 1), late)
    expect(await child.result(3)).toMatchObject({ value: { how: 'ticked' } })
    expect(child.messages.filter(({ hysas }) => hysas === 'claimed')).toHaveLength(2)
  })
})
