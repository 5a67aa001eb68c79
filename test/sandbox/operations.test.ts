import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { until } from '../helpers/until.js'
import { ISOLATIONS, playNode, startWorker } from './harness.js'

describe.each(ISOLATIONS)('%s isolation:', (isolation) => {
  const node = playNode({ isolation })
  const { names, redis } = node

  const SOURCE = `
  import { defineProcessor, HysasError } from 'hysas'
  import { z } from 'zod'
  let sum = 0
  export default defineProcessor({
    heartbeatSeconds: 0.2,
    receive(ctx, m) { ctx.log.debug({ data: m.data }, 'heard') },
    operations: {
      add: { args: z.object({ n: z.number(), times: z.number().default(1) }), run: (ctx, { n, times }) => (sum += n * times) },
      fail: { run() { throw new Error('broken inside') } },
      taken: { run() { throw new HysasError('NAME_TAKEN', { nickname: 'x', type: 'Y', holder: 'runs' }) } },
      loop: { run() { const a = {}; a.a = a; return a } },
      nothing: { run() {} },
      big: { run: () => 'x'.repeat(2e6) },
    },
  })`

  const command = (raw: string, nickname: string) => redis.publish(names.workerCommand('Probe', nickname), raw)

  async function call(nickname: string, operation: string, kwargs: unknown = {}) {
    const reply = randomUUID()
    await command(JSON.stringify({ type: 'sys', operation_name: operation, kwargs, reply }), nickname)
    return answerOf(reply)
  }

  async function answerOf(reply: string) {
    const text = await until(() => redis.lindex(names.reply(reply), 0))
    expect(await redis.ttl(names.reply(reply))).toBeGreaterThan(0)
    return JSON.parse(text)
  }

  test('declared operations get checked arguments and answer with what they return', async () => {
    const { child } = await startWorker(node, SOURCE, { nickname: 'abacus' })
    await until(() => child.said('started'))
    expect(await call('abacus', 'add', { n: 2, times: 3 })).toEqual({ ok: true, value: 6 })
    expect(await call('abacus', 'add', { n: 1 })).toEqual({ ok: true, value: 7 })
    expect(await call('abacus', 'nothing')).toEqual({ ok: true, value: null })
    const failures = [
      ['add', { n: 'x' }, 'BAD_ARGS', /n: .*number/],
      ['ad', {}, 'UNKNOWN_OPERATION', /Did you mean "add"/],
      ['constructor', {}, 'UNKNOWN_OPERATION', /constructor/],
      ['fail', {}, 'OPERATION_FAILED', /broken inside/],
      ['taken', {}, 'NAME_TAKEN', /The name x is taken/],
      ['loop', {}, 'OPERATION_FAILED', /JSON/],
      ['big', {}, 'TOO_LARGE', /2000002 bytes/],
    ] as const
    for (const [operation, args, code, message] of failures) {
      const answer = await call('abacus', operation, args)
      expect(answer, operation).toMatchObject({ ok: false, error: { code, message: expect.stringMatching(message) } })
    }
  })

  test('every worker has subscribe, unsubscribe and logLevel', async () => {
    const { child, info } = await startWorker(node, SOURCE, { nickname: 'plain' })
    await until(() => child.said('started'))
    const channel = names.pub('Other', 'bell')
    expect(await call('plain', 'subscribe', { type: 'Other', nickname: 'bell' })).toEqual({
      ok: true,
      value: { hears: [channel] },
    })
    expect(await call('plain', 'logLevel', { level: 'debug' })).toMatchObject({ ok: true })
    await redis.publish(channel, '"ding"')
    await until(() => child.log.find(({ data }) => data === 'ding'))
    await until(async () => (await info()).data_feeder === JSON.stringify([channel]))
    expect(await call('plain', 'unsubscribe', { type: 'Other', nickname: 'bell' })).toMatchObject({
      value: { heard: true, hears: [] },
    })
    expect(await redis.publish(channel, '"nobody"')).toBe(0)
    expect(await call('plain', 'unsubscribe', { channel })).toMatchObject({ value: { heard: false } })
    expect(await call('plain', 'subscribe', { nickname: '*' })).toMatchObject({ error: { code: 'BAD_NICKNAME' } })
    expect(await call('plain', 'subscribe', { what: 'x' })).toMatchObject({ error: { code: 'BAD_ARGS' } })
    expect(await call('plain', 'logLevel', { level: 'loud' })).toMatchObject({ error: { code: 'BAD_ARGS' } })
  })

  test('malformed messages on the Command channel are refused, and are none of the errors of the worker', async () => {
    const { child, info } = await startWorker(node, SOURCE, { nickname: 'target' })
    await until(() => child.said('started'))
    const bad = [
      'nothing',
      '',
      '[]',
      'null',
      '{"type":"sys"}',
      '{"type":"sys","operation_name":7}',
      '{"type":"user","operation_name":"add"}',
      '{"type":"sys","operation_name":"add","kwargs":[1]}',
      '{"type":"sys","operation_name":"add","reply":"../../x"}',
      "(dp0\nS'type'\np1\nS'sys'\np2\ns.", // pickle
      `{"type":"sys","operation_name":"add","kwargs":"${'x'.repeat(2e6)}"}`,
      '{"__proto__":{"type":"sys"},"operation_name":"add"}',
    ]
    for (const raw of bad) await command(raw, 'target')
    const reply = randomUUID()
    await command(JSON.stringify({ type: 'sys', operation_name: 'add', kwargs: 'x', reply }), 'target')
    expect(await answerOf(reply)).toMatchObject({ ok: false, error: { code: 'BAD_MESSAGE' } })
    expect(await call('target', 'add', { n: 'x' })).toMatchObject({ ok: false })
    expect(await call('target', 'nonsense')).toMatchObject({ ok: false })
    expect(await call('target', 'add', { n: 1 })).toMatchObject({ ok: true })
    const { heart_beat } = await info()
    await until(async () => (await info()).heart_beat !== heart_beat)
    expect(await info()).toMatchObject({ errors: '0', error_msg: '' })
    expect(await call('target', 'fail')).toMatchObject({ ok: false })
    await until(async () => (await info()).errors === '1')
    expect(child.log.some(({ msg }) => msg?.startsWith('A message on the Command channel was refused'))).toBe(true)
  })
})
