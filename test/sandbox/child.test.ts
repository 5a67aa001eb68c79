import { describe, expect, test } from 'vitest'
import { alive } from '../helpers/process.js'
import { until } from '../helpers/until.js'
import { ISOLATIONS, listen, playNode, startWorker } from './harness.js'

describe.each(ISOLATIONS)('%s isolation:', (isolation) => {
  const node = playNode({ isolation, databases: { raw: 'file::memory:' } })
  const { names, redis } = node

  const LOOP = `
  import { defineProcessor } from 'hysas'
  export default defineProcessor({
    async produce(ctx) { while (!ctx.signal.aborted) { await ctx.publish('x'); await ctx.sleep(20) } },
    beforeTermination: (ctx, reason) => ctx.publish('bye ' + reason),
  })`

  test('a child ends at once when its node is gone', async () => {
    const { child } = await startWorker(node, LOOP, { nickname: 'orphan' })
    await until(() => child.said('started'))
    child.process.disconnect()
    const began = Date.now()
    await child.exited
    expect(Date.now() - began).toBeLessThan(1000)
  })

  test('a child ignores SIGINT, and ends its run on SIGTERM, which counts as a failure', async () => {
    const heard = await listen(redis, names.pub('Probe', 'signals'))
    const { child } = await startWorker(node, LOOP, { nickname: 'signals' })
    await until(() => child.said('started'))
    child.process.kill('SIGINT')
    await until(() => heard.length > 5)
    expect(alive(child.process.pid ?? 0)).toBe(true)
    child.process.kill('SIGTERM')
    expect(await child.result()).toMatchObject({ failure: { message: 'ended by SIGTERM' } })
    expect(await child.exited).toEqual({ code: 0, signal: null })
    expect(heard.at(-1)).toBe('bye signal')
  })

  test('a spare child ends on SIGTERM', async () => {
    const child = await node.child()
    child.process.kill('SIGTERM')
    expect(await child.exited).toEqual({ code: 0, signal: null })
  })

  test.each([
    ['an error that nobody caught', `setTimeout(() => { throw new Error('out of reach') }, 50)`, /out of reach/],
    ['a rejection that nobody awaited', `Promise.reject(new Error('dropped'))`, /dropped/],
    ['something thrown that is no error', `setTimeout(() => { throw { odd: 1 } }, 50)`, /odd/],
  ])('%s fails the run, is logged, and ends the child', async (_what, code, message) => {
    const source = `
    import { defineProcessor } from 'hysas'
    export default defineProcessor({ start() { ${code} } })`
    const { child } = await startWorker(node, source, { nickname: `crasher-${String(message).length}` })
    const answer = await child.result()
    expect('failure' in answer && answer.failure.message).toMatch(message)
    await child.ended()
    if (isolation === 'process') expect(await child.exited).toEqual({ code: 1, signal: null })
    expect(JSON.stringify(child.log)).toMatch(message)
  })

  test('a file that can not be loaded is told with its reason', async () => {
    const child = await node.child()
    const thrower = await node.compile(`throw new Error('at import')`)
    expect(await child.load(thrower)).toMatchObject({
      cmd: 3,
      err: { message: 'at import', stack: expect.any(String) },
    })
    const other = await node.child()
    expect(await other.load(await node.compile('export default 7'))).toMatchObject({
      cmd: 3,
      err: { message: expect.stringMatching(/is not a processor: its default export is a number/) },
    })
  })

  test('a child is given one run only, and says so', async () => {
    const { child, job } = await startWorker(node, LOOP, { nickname: 'once' })
    await until(() => child.said('started'))
    child.start(job)
    expect(await until(() => child.messages.find(({ cmd }) => cmd === 1))).toMatchObject({
      err: { message: 'this child is at work already' },
    })
  })

  test('a job that someone else made is refused', async () => {
    const child = await node.child()
    await child.load(await node.compile(LOOP))
    child.send({ cmd: 1, token: 't', job: { id: '7', name: 'x', data: '{"nickname":"a b"}' } })
    expect(await child.result()).toMatchObject({ failure: { refused: true } })
  })

  test('messages that can not be published are refused with a code, and the rest goes on in order', async () => {
    const source = `
    import { defineProcessor } from 'hysas'
    export default defineProcessor({
      async produce(ctx) {
        const codes = []
        const failing = (data) => ctx.publish(data).catch((error) => codes.push(error.code))
        const circular = {}
        circular.self = circular
        for (const data of ['x'.repeat(10_000_000), circular, undefined, 1n, () => 1]) await failing(data)
        const all = Array.from({ length: 2000 }, (_, n) => ctx.publish(n))
        const counts = await Promise.all([...all, ctx.publish(Buffer.from([104, 105])), ctx.publish({ codes })])
        await ctx.publish(counts.every((count) => count === 1))
        await ctx.publish('elsewhere', { channel: ctx.namespace + '-other' })
      },
    })`
    const heard = await listen(redis, names.pub('Probe', 'limits'))
    const other = await listen(redis, `${names.namespace}-other`)
    const { child, info } = await startWorker(node, source, { nickname: 'limits' })
    expect(await child.result()).toMatchObject({ value: { how: 'done' } })
    await until(() => other.length)
    expect(heard.slice(0, 2000)).toEqual(Array.from({ length: 2000 }, (_, n) => String(n)))
    const refused = ['NOT_SERIALIZABLE', 'NOT_SERIALIZABLE', 'NOT_SERIALIZABLE', 'NOT_SERIALIZABLE']
    expect(heard.slice(2000)).toEqual(['hi', JSON.stringify({ codes: ['MESSAGE_TOO_LARGE', ...refused] }), 'true'])
    expect(other).toEqual(['elsewhere'])
    expect(await info()).toMatchObject({ published: '2004' })
    expect(await redis.hget(names.published, names.pub('Probe', 'limits'))).toBe('2003')
  })

  test('the context records events, opens databases by name, and offers an ordinary Redis client', async () => {
    const source = `
    import { defineProcessor } from 'hysas'
    export default defineProcessor({
      async produce(ctx) {
        await ctx.events.record('alert', { source: '10.0.0.1', severity: 'warning', message: 'm', data: { n: 1 }, key: 'k' })
        await ctx.events.record('bare')
        const codes = []
        for (const wrong of [
          () => ctx.events.record('no spaces please'),
          () => ctx.events.record('alert', { data: 'x'.repeat(1e6) }),
          () => ctx.events.record('alert', { severity: 'loud' }),
          () => ctx.database('row'),
        ]) await wrong().catch((error) => codes.push(error.code + ' ' + error.message))
        const database = await ctx.database('raw')
        codes.push((await database.query('SELECT 1 + 1 AS two'))[0].two, database === (await ctx.database('raw')))
        await ctx.redis.set(ctx.namespace + ':codes', JSON.stringify(codes))
      },
    })`
    const { child } = await startWorker(node, source, { nickname: 'user' })
    expect(await child.result()).toMatchObject({ value: { how: 'done' } })
    const entries = await redis.xrange(names.outbox, '-', '+')
    expect(entries.map(([, [, json]]) => JSON.parse(json ?? ''))).toMatchObject([
      {
        kind: 'alert',
        severity: 'warning',
        type: 'Probe',
        nickname: 'user',
        node: 'n1',
        epoch: child.said('claimed')?.epoch,
        source: '10.0.0.1',
        message: 'm',
        data: { n: 1 },
        key: 'k',
        time: expect.any(Number),
      },
      { kind: 'bare', severity: 'info', source: '', message: '', data: null, key: '' },
    ])
    const codes = JSON.parse((await redis.get(`${names.namespace}:codes`)) ?? '')
    expect(codes.map((code: unknown) => String(code).split(' ')[0])).toEqual([
      'BAD_ARGS',
      'TOO_LARGE',
      'BAD_ARGS',
      'UNKNOWN_DATABASE',
      '2',
      'true',
    ])
    expect(codes[3]).toMatch(/Did you mean "raw"/)
  })
})
