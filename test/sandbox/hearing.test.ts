import { describe, expect, test } from 'vitest'
import { until } from '../helpers/until.js'
import { ISOLATIONS, playNode, startWorker } from './harness.js'

describe.each(ISOLATIONS)('%s isolation:', (isolation) => {
  const node = playNode({ isolation })
  const { names, redis } = node

  /** Keeps what it hears in a list of Redis, as `from data`. */
  const hearing = (more: string) => `
  import { defineProcessor } from 'hysas'
  export default defineProcessor({
    receive: (ctx, m) => ctx.redis.rpush(ctx.namespace + ':got:' + ctx.nickname, [m.type, m.nickname, JSON.stringify(m.data)].join(' ')),
    ${more}
  })`
  const got = (nickname: string) => redis.lrange(`${names.namespace}:got:${nickname}`, 0, -1)

  test('a worker hears a channel, a type, a nickname, and both, each message once', async () => {
    const source = hearing(`subscribe: ({ nickname }) => [
    { channel: 'plain-' + nickname }, { type: 'Gauge' }, { nickname: 'north' }, { type: 'Valve', nickname: 'main' },
    { channel: '${names.pub('Gauge', 'north')}' },
  ],`)
    const { child, info } = await startWorker(node, source, { nickname: 'ears' })
    await until(() => child.said('started'))
    await redis.publish('plain-ears', 'not json')
    await redis.publish(names.pub('Gauge', 'any'), '{"a":1}')
    await redis.publish(names.pub('Other', 'north'), '[2]')
    await redis.publish(names.pub('Gauge', 'north'), '3') // by three of the ways at once
    await redis.publish(names.pub('Gauge', 'north'), '3')
    await redis.publish(names.pub('Valve', 'main'), '4')
    await redis.publish(names.pub('Valve', 'other'), 'not for us')
    await redis.publish(names.all, '"to all"')
    await until(async () => (await got('ears')).length >= 7)
    expect(await got('ears')).toEqual([
      '  "not json"',
      'Gauge any {"a":1}',
      'Other north [2]',
      'Gauge north 3',
      'Gauge north 3',
      'Valve main 4',
      '  "to all"',
    ])
    expect(JSON.parse((await info()).data_feeder ?? '').sort()).toEqual(
      [
        'plain-ears',
        names.pub('Gauge', 'north'),
        names.pub('Valve', 'main'),
        names.pubPattern('Gauge'),
        names.pubPattern('*', 'north'),
      ].sort(),
    )
  })

  test('messages come in order and one at a time, and what came before start had returned is not lost', async () => {
    const source = `
    import { defineProcessor } from 'hysas'
    let atWork = 0, most = 0
    export default defineProcessor({
      subscribe: { channel: 'ordered-${names.namespace}' },
      async start(ctx) {
        await ctx.redis.set(ctx.namespace + ':in-start', '1')
        await ctx.sleep(300)
      },
      async receive(ctx, m) {
        most = Math.max(most, ++atWork)
        await ctx.sleep(Math.random() * 3)
        atWork--
        await ctx.redis.rpush(ctx.namespace + ':ordered', m.data + ' ' + most)
      },
    })`
    const { child } = await startWorker(node, source, { nickname: 'order' })
    await until(() => redis.get(`${names.namespace}:in-start`))
    for (let n = 0; n < 50; n++) await redis.publish(`ordered-${names.namespace}`, String(n))
    expect(child.said('started')).toBeUndefined()
    const all = await until(async () => {
      const list = await redis.lrange(`${names.namespace}:ordered`, 0, -1)
      return list.length === 50 && list
    })
    expect(all).toEqual(Array.from({ length: 50 }, (_, n) => `${n} 1`))
  })

  test('ctx.subscribe hears one more source, with its own handler, until unsubscribed', async () => {
    const source = `
    import { defineProcessor } from 'hysas'
    export default defineProcessor({
      async start(ctx) {
        const subscription = await ctx.subscribe({ nickname: 'late' }, async (m) => {
          await ctx.publish(m.data)
          if (m.data === 'enough') await subscription.unsubscribe()
        })
      },
    })`
    const { child, info } = await startWorker(node, source, { nickname: 'adder' })
    await until(() => child.said('started'))
    const published = async () => Number((await info()).published)
    await redis.publish(names.pub('Any', 'late'), 'one')
    await redis.publish(names.pub('Any', 'late'), 'enough')
    await until(async () => (await info()).data_feeder === '[]' && (await published()) === 2)
    expect(await redis.publish(names.pub('Any', 'late'), 'nobody')).toBe(0)
  })

  test('an error in receive is counted and survived, or ends the run where the processor wants that', async () => {
    const failing = (more: string) =>
      `import { defineProcessor } from 'hysas'
     import { z } from 'zod'
     export default defineProcessor({
       heartbeatSeconds: 0.1,
       subscribe: ({ nickname }) => ({ channel: nickname + '-${names.namespace}' }),
       messages: z.object({ n: z.number() }),
       async receive(ctx, m) { if (m.data.n < 0) throw new Error('below zero') },
       ${more}
     })`
    const channel = (nickname: string) => `${nickname}-${names.namespace}`
    const first = await startWorker(node, failing(''), { nickname: 'survivor' })
    await until(() => first.child.said('started'))
    await redis.publish(channel('survivor'), '{"n":-1}')
    await redis.publish(channel('survivor'), '{"n":"x"}')
    await redis.publish(channel('survivor'), '{"n":1}')
    const info = await until(async () => {
      const all = await first.info()
      return all.received === '2' && all.errors === '2' && all
    })
    expect(info).toMatchObject({ status: 'started', error_msg: expect.stringMatching(/does not fit: n: /) })
    expect(first.child.log[0]?.msg).toMatch(/receive failed: Error: below zero/)

    const second = await startWorker(node, failing(`onError: 'restart',`), { nickname: 'giver' })
    await until(() => second.child.said('started'))
    await redis.publish(channel('giver'), '{"n":-1}')
    expect(await second.child.result()).toMatchObject({ failure: { message: 'below zero' } })
  })

  test('a worker whose produce has returned lives on while it hears something', async () => {
    const { child } = await startWorker(node, hearing('produce() {},'), { nickname: 'listener' })
    await until(() => child.said('started'))
    await redis.publish(names.all, '1')
    await until(async () => (await got('listener')).length === 1)
    child.cancel('stop')
    expect(await child.result()).toEqual({ value: { how: 'stopped', nickname: 'listener' } })
  })

  test('a receiver that lets Redis wait may subscribe and unsubscribe while it is full', async () => {
    const source = `
    import { defineProcessor } from 'hysas'
    let n = 0
    export default defineProcessor({
      receiving: { limitMessages: 10, whenFull: 'wait' },
      subscribe: { channel: 'flood-${names.namespace}' },
      async start(ctx) {
        await ctx.redis.set(ctx.namespace + ':full', '1')
        await ctx.redis.blpop(ctx.namespace + ':flooded', 0)
        await ctx.subscribe({ channel: 'one-more' }, () => {})
      },
      async receive(ctx, m) {
        if (++n % 500 !== 0) return
        const subscription = await ctx.subscribe({ channel: 'for-a-while' }, () => {})
        await subscription.unsubscribe()
        await ctx.redis.set(ctx.namespace + ':full', String(n))
      },
    })`
    const { child } = await startWorker(node, source, { nickname: 'waiter' })
    await until(() => redis.get(`${names.namespace}:full`))
    const flood = redis.pipeline()
    for (let n = 0; n < 3000; n++) flood.publish(`flood-${names.namespace}`, `${n} ${'x'.repeat(200)}`)
    await flood.exec()
    await redis.lpush(`${names.namespace}:flooded`, '1')
    await until(() => child.said('started'), { what: 'start has returned' })
    await until(async () => (await redis.get(`${names.namespace}:full`)) === '3000', { what: 'all is received' })
  })

  test('a run that is cut off hands out no more of what waits', async () => {
    const source = `
    import { defineProcessor } from 'hysas'
    let n = 0
    export default defineProcessor({
      subscribe: { channel: 'cut-${names.namespace}' },
      async receive(ctx) {
        if (++n === 20) setTimeout(() => { throw new Error('nobody catches this') })
        await new Promise((resolve) => setTimeout(resolve, 5))
        console.log('received', n)
      },
    })`
    const { child } = await startWorker(node, source, { nickname: 'cut' })
    await until(() => child.said('started'))
    const backlog = redis.pipeline()
    for (let n = 0; n < 500; n++) backlog.publish(`cut-${names.namespace}`, String(n))
    await backlog.exec()
    await child.ended()
    await until(() => child.output.some((line) => /received 19/.test(line)))
    expect(child.output.filter((line) => /received (2[2-9]|[3-9]\d|\d{3})/.test(line))).toEqual([])
  })

  test('data is the parsed JSON, or the text where it is none', async () => {
    const { child } = await startWorker(node, hearing(`subscribe: { channel: 'forms-${names.namespace}' },`), {
      nickname: 'forms',
    })
    await until(() => child.said('started'))
    const json = ['1', ' 2 ', '-0.5', 'true', 'null', '"t"', '{"a":[]}', '\n[1]']
    const text = ['', 'text', '2026-11-22 10:00:00 sshd[7]: x', 'trueish', '{not json', '-', '192.168.0.1', "'x'"]
    for (const raw of [...json, ...text]) await redis.publish(`forms-${names.namespace}`, raw)
    await until(async () => (await got('forms')).length === json.length + text.length)
    expect((await got('forms')).map((line) => JSON.parse(line.trim()))).toEqual([
      ...json.map((raw) => JSON.parse(raw)),
      ...text,
    ])
  })
})
