import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { defineProcessor } from '../src/index.js'
import { createHarness, type ParamsOf } from '../src/testing.js'

const demo = defineProcessor({
  params: z.object({ everyMs: z.number().int().positive().default(1000) }),
  subscribe: ({ nickname }) => [{ nickname }],
  async produce(ctx) {
    for (let n = 0; !ctx.signal.aborted; n++) {
      await ctx.publish(n)
      await ctx.sleep(ctx.params.everyMs)
    }
  },
  receive(ctx, message) {
    ctx.log.info({ from: message.channel, data: message.data }, 'heard')
  },
})

const numbers = (of: { published: { data: unknown }[] }) => of.published.map(({ data }) => data)

describe('the harness', () => {
  it('runs a loop by its own clock, the same way every time', async () => {
    for (let round = 0; round < 3; round++) {
      const worker = createHarness(demo)
      await worker.start()
      expect(numbers(worker)).toEqual([0])
      await worker.advance(2500)
      expect(worker.published.map(({ at, data }) => [at, data])).toEqual([
        [0, 0],
        [1000, 1],
        [2000, 2],
      ])
      expect(worker.now).toBe(2500)
      await worker.stop()
      await worker.advance(5000)
      expect(numbers(worker)).toEqual([0, 1, 2])
      expect(await worker.finished).toBe('stop')
    }
  })

  it('lets a worker hear what it publishes itself, as in a fleet', async () => {
    const worker = createHarness(demo, { type: 'Demo', nickname: 'd', params: { everyMs: 10 } })
    await worker.start()
    await worker.advance(10)
    const heard = worker.logs.filter(({ msg }) => msg === 'heard').map(({ fields }) => fields)
    expect(heard).toEqual([0, 1].map((data) => ({ from: 'HySAS.Worker.Demo.d.Pub', data })))
    await worker.stop()
  })

  it('refuses parameters that the schema refuses, and fills in defaults', async () => {
    await expect(createHarness(demo, { params: { everyMs: -1 } }).start()).rejects.toMatchObject({ code: 'BAD_PARAMS' })
    const worker = createHarness(demo)
    await worker.start()
    expect(worker.ctx.params).toEqual({ everyMs: 1000 })
    await worker.stop()
  })

  it('wakes several sleepers in the order of their times', async () => {
    const order: string[] = []
    const worker = createHarness(
      defineProcessor({
        async produce(ctx) {
          const nap = async (name: string, ms: number) => {
            await ctx.sleep(ms)
            order.push(name)
          }
          await Promise.all([nap('late', 30), nap('early', 10), nap('also early', 10)])
        },
      }),
    )
    await worker.start()
    await worker.advance(20)
    expect(order).toEqual(['early', 'also early'])
    await worker.advance(10)
    expect(order).toEqual(['early', 'also early', 'late'])
    expect(await worker.finished).toBe('done')
  })

  it('feeds messages to receive, parsed and checked, and passes on what it throws', async () => {
    const seen: unknown[] = []
    const worker = createHarness(
      defineProcessor({
        messages: z.object({ line: z.string() }),
        subscribe: { type: 'Tail' },
        receive(_ctx, { data, type, nickname }) {
          if (data.line === 'bad') throw new Error('can not take it')
          seen.push({ ...data, type, nickname })
        },
      }),
    )
    await worker.start()
    await worker.send({ line: 'a' })
    await worker.send({ line: 'b' }, { channel: 'HySAS.Worker.Tail.auth.Pub' })
    expect(seen).toEqual([
      { line: 'a', type: 'Tail', nickname: 'sender' },
      { line: 'b', type: 'Tail', nickname: 'auth' },
    ])
    await worker.send({ line: 5 })
    expect(seen).toHaveLength(2)
    expect(worker.logs.at(-1)).toMatchObject({ level: 'warn', msg: 'a message does not fit' })
    await expect(worker.send({ line: 'bad' })).rejects.toThrow('can not take it')
    await expect(worker.send({ line: 'x' }, { channel: 'elsewhere' })).rejects.toThrow('hears the channel elsewhere')
    await worker.stop()
  })

  it('takes subscriptions made and ended while running', async () => {
    const seen: unknown[] = []
    const worker = createHarness(
      defineProcessor({
        async start(ctx) {
          const subscription = await ctx.subscribe({ channel: 'news' }, async ({ data }) => {
            seen.push(data)
            if (data === 'last') await subscription.unsubscribe()
          })
        },
      }),
    )
    await worker.start()
    await worker.send('first', { channel: 'news' })
    await worker.send('last', { channel: 'news' })
    await expect(worker.send('more', { channel: 'news' })).rejects.toThrow()
    expect(seen).toEqual(['first', 'last'])
    await worker.stop()
  })

  it('calls operations with checked arguments', async () => {
    const worker = createHarness(
      defineProcessor({
        operations: {
          add: { args: z.object({ a: z.number(), b: z.number().default(1) }), run: (_ctx, { a, b }) => a + b },
        },
      }),
    )
    await worker.start()
    expect(await worker.operation('add', { a: 2 })).toBe(3)
    await expect(worker.operation('add', { a: 'x' })).rejects.toMatchObject({ code: 'BAD_ARGS' })
    await expect(worker.operation('ad')).rejects.toMatchObject({ code: 'UNKNOWN_OPERATION' })
    await worker.stop()
  })

  it('ticks a repeatable processor, and collects events once per key', async () => {
    let n = 0
    const worker = createHarness(
      defineProcessor({
        every: '1m',
        async tick(ctx) {
          await ctx.events.record('alert', { key: 'same', message: `tick ${++n}` })
        },
      }),
    )
    await worker.tick()
    await worker.tick()
    expect(n).toBe(2)
    expect(worker.events).toEqual([{ kind: 'alert', key: 'same', message: 'tick 1' }])
  })

  it('runs beforeTermination once, with the reason', async () => {
    const reasons: string[] = []
    const worker = createHarness(
      defineProcessor({ start() {}, beforeTermination: (_ctx, reason) => void reasons.push(reason) }),
    )
    await worker.start()
    await Promise.all([worker.stop('shutdown'), worker.stop()])
    expect(reasons).toEqual(['shutdown'])
    expect(await worker.finished).toBe('shutdown')
  })

  it('lives on after produce has returned where it hears something, as a worker does, and not for its operations', async () => {
    const operations = { ask: { run: () => 1 } }
    const asked = createHarness(defineProcessor({ produce() {}, operations }))
    await asked.start()
    expect(await asked.finished).toBe('done')
    const hearing = createHarness(
      defineProcessor({
        async produce(ctx) {
          await ctx.subscribe({ channel: 'news' }, async (message) => void (await ctx.publish(message.data)))
        },
      }),
    )
    await hearing.start()
    await hearing.send('still here', { channel: 'news' })
    expect(hearing.published.map(({ data }) => data)).toEqual(['still here'])
    await hearing.stop()
    expect(await hearing.finished).toBe('stop')
  })

  it('shows where it happened what produce throws', async () => {
    const worker = createHarness(
      defineProcessor({
        async produce(ctx) {
          await ctx.sleep(10)
          throw new Error('lost its way')
        },
      }),
    )
    await worker.start()
    await expect(worker.advance(20)).rejects.toThrow('lost its way')
    await expect(worker.finished).rejects.toThrow('lost its way')
  })

  it('refuses to publish what has no form in JSON, or is too large', async () => {
    const worker = createHarness(defineProcessor({ start() {} }))
    await worker.start()
    await expect(worker.ctx.publish(1n)).rejects.toMatchObject({ code: 'NOT_SERIALIZABLE' })
    await expect(worker.ctx.publish(() => 1)).rejects.toMatchObject({ code: 'NOT_SERIALIZABLE' })
    await expect(worker.ctx.publish('x'.repeat(1024 * 1024 + 1))).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
    expect(() => worker.ctx.redis).toThrow(expect.objectContaining({ code: 'NO_REDIS_GIVEN' }))
    await expect(worker.ctx.database('raw')).rejects.toMatchObject({ code: 'UNKNOWN_DATABASE' })
  })

  it('hands on binary data byte for byte, and reads a source as it says', async () => {
    const got: unknown[] = []
    const worker = createHarness(
      defineProcessor({
        subscribe: [{ channel: 'lines', codec: 'text' }, { channel: 'blocks' }],
        receive: (_ctx, { data, bytes }) => void got.push(data, bytes.toString('hex')),
      }),
    )
    await worker.start()
    await worker.send('{"a":1}', { channel: 'lines' })
    await worker.send(Buffer.from([0xff, 0]), { channel: 'blocks' })
    await worker.ctx.drained()
    expect(got).toEqual(['{"a":1}', Buffer.from('{"a":1}').toString('hex'), '\ufffd\0', 'ff00'])
  })

  it('runs a plain BullMQ function with its parameters as job.data', async () => {
    const worker = createHarness(
      async (job: unknown) => {
        expect(job).toMatchObject({ data: { a: 1 } })
      },
      { params: { a: 1 } },
    )
    await worker.start()
    expect(await worker.finished).toBe('done')
  })

  it('says that a loop does not end with its signal', { timeout: 10_000 }, async () => {
    const worker = createHarness(defineProcessor({ produce: () => new Promise(() => {}) }))
    await worker.start()
    await expect(worker.stop()).rejects.toThrow('ctx.signal.aborted')
  })

  it('can follow the time of the wall', async () => {
    const worker = createHarness(demo, { clock: 'real', params: { everyMs: 20 } })
    await worker.start()
    await worker.advance(70)
    expect(worker.published.length).toBeGreaterThanOrEqual(2)
    await worker.stop()
  })

  it('infers what parameters a processor takes', () => {
    const schema = z.object({ a: z.number(), b: z.string().default('x') })
    expectTypeOf<ParamsOf<{ params: typeof schema }>>().toEqualTypeOf<{ a: number; b?: string | undefined }>()
    expectTypeOf<ParamsOf<{ tick(): void }>>().toEqualTypeOf<Record<string, unknown>>()
  })
})
