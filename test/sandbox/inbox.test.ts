import { describe, expect, test } from 'vitest'
import { msgpack } from '../../src/redis/codec.js'
import { Delivery, deliveriesOf } from '../../src/redis/delivery.js'
import { binaryFrame } from '../../src/redis/frames.js'
import { createInbox } from '../../src/sandbox/inbox.js'
import { until } from '../helpers/until.js'
import { ISOLATIONS, playNode, startWorker } from './harness.js'

const CHUNK = 64 * 1024
const origin = { channel: 'c' }

/** A message as it comes: a few bytes of a whole chunk. */
function smallPart(data: string | Buffer): Buffer {
  const chunk = Buffer.allocUnsafeSlow(CHUNK)
  return chunk.subarray(100, 100 + Buffer.from(data).copy(chunk, 100))
}

/** What the memory is that all of these hold on to, in bytes. */
function heldBy(deliveries: readonly Delivery[]): number {
  const buffers = new Set(deliveries.map(({ memory }) => memory))
  return [...buffers].reduce((sum, buffer) => sum + (buffer?.byteLength ?? 0), 0)
}

function closedInbox(receiving = {}) {
  const got: string[] = []
  const drops: string[] = []
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const inbox = createInbox({
    handle: ({ raw }) => void got.push(raw),
    concurrency: 1,
    receiving,
    gate,
    onDrop: (channel) => drops.push(channel),
  })
  return { inbox, got, drops, open: () => open() }
}

test('messages that wait do not hold on to the chunks they came in, and stay what they are', async () => {
  const [one, other] = [closedInbox(), closedInbox()]
  const deliveries = Array.from({ length: 3000 }, (_, i) => {
    const payload = smallPart(`message ${i}`)
    return new Delivery(origin, payload, undefined, payload.length)
  })
  const kept = new Map<Delivery, unknown>()
  for (const delivery of deliveries) {
    one.inbox.push(delivery)
    kept.set(delivery, delivery.memory)
    other.inbox.push(delivery)
  }
  expect(heldBy(deliveries)).toBeLessThan(2 ** 20)
  const copiedTwice = deliveries.filter((delivery) => delivery.memory !== kept.get(delivery))
  expect(copiedTwice, 'one copy, however many wait for it').toEqual([])
  const wanted = Array.from({ length: 3000 }, (_, i) => `message ${i}`)
  for (const { got, open } of [one, other]) {
    open()
    await until(() => got.length === 3000)
    expect(got).toEqual(wanted)
  }
})

test('what was read before it has to wait is read again where it was a part of the chunk', () => {
  const packed = Buffer.concat([Buffer.from([0xc1]), msgpack().pack({ bytes: Buffer.from('binary data') })])
  const marked = new Delivery(origin, smallPart(packed), undefined, packed.length)
  const plain = new Delivery(origin, smallPart('binary data'), undefined, 11, 'buffer')
  const binaries = () => [(marked.message.data as { bytes: Buffer }).bytes, plain.message.data as Buffer]
  expect(binaries().map(({ buffer }) => buffer.byteLength)).toEqual([CHUNK, CHUNK])
  marked.keep()
  plain.keep()
  expect(binaries().map(String)).toEqual(['binary data', 'binary data'])
  expect(binaries().map(({ buffer }) => buffer.byteLength)).toEqual([packed.length, 11])

  const json = new Delivery(origin, smallPart('{"a":1}'), undefined, 7)
  const { message } = json
  json.keep()
  expect(json.message).toBe(message)
})

test('binary data in the elements of a frame does not hold on to the chunk', () => {
  const frame = binaryFrame([msgpack().pack({ bytes: Buffer.from('one') }), msgpack().pack({ n: 2 })])
  const [bytes] = deliveriesOf(origin, smallPart(frame)).map(({ message }) => (message.data as { bytes: Buffer }).bytes)
  expect(String(bytes)).toBe('one')
  expect(bytes?.buffer.byteLength).toBe(frame.length)
})

test('tiny messages reach the limit of bytes by what they take, and come to nothing when they have gone', async () => {
  const { inbox, got, drops, open } = closedInbox({ limitBytes: 100_000 })
  const push = (n: number) => {
    for (let i = 0; i < n; i++) {
      const payload = smallPart('x')
      inbox.push(new Delivery(origin, payload, undefined, payload.length))
    }
  }
  push(1000)
  expect(drops.length).toBeGreaterThan(500)
  const waiting = 1000 - drops.length
  open()
  await until(() => got.length === waiting)
  drops.length = 0
  push(waiting)
  expect(drops).toEqual([])
})

describe.each(ISOLATIONS)('%s isolation:', (isolation) => {
  const node = playNode({ isolation })

  test('thousands of tiny messages wait in little memory, though each came in a chunk of its own', async () => {
    const { names, redis } = node
    const [tiny, large] = [`${names.namespace}-tiny`, `${names.namespace}-large`]
    const source = `
    import { setFlagsFromString } from 'node:v8'
    import { runInNewContext } from 'node:vm'
    import { defineProcessor } from 'hysas'
    let heard = 0, goOn
    const gate = new Promise((resolve) => { goOn = resolve })
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc')
    export default defineProcessor({
      heartbeatSeconds: 0.1,
      subscribe: { channel: '${tiny}' },
      start: (ctx) => void ctx.subscribe({ channel: '${large}' }, () => void heard++),
      receive: () => gate,
      operations: {
        heard: { run: () => heard },
        memory: { run: async () => {
          for (let i = 0; i < 3; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)) }
          return process.memoryUsage().arrayBuffers / 2 ** 20
        } },
        goOn: { run: () => goOn() },
      },
    })`
    const { child, info, type } = await startWorker(node, source, { nickname: 'sleepy' })
    await until(() => child.said('started'))
    const call = async (operation_name: string) => {
      const reply = `${isolation}-${Math.random().toString(36).slice(2)}`
      await redis.publish(names.workerCommand(type, 'sleepy'), JSON.stringify({ type: 'sys', operation_name, reply }))
      const answer = await redis.blpop(names.reply(reply), 30)
      return JSON.parse(answer?.[1] ?? '{}').value as number
    }
    await until(async () => Number((await redis.pubsub('NUMSUB', large))[1]) > 0)
    const before = await call('memory')
    const filler = 'y'.repeat(CHUNK)
    for (let i = 1; i <= 1500; i++) {
      void redis.publish(tiny, `tiny ${i}`)
      void redis.publish(large, filler)
      // Redis cuts off who is 32 MB behind
      if (i % 100 === 0) await until(async () => (await call('heard')) === i)
    }
    expect((await call('memory')) - before).toBeLessThan(20)
    await call('goOn')
    await until(async () => (await info()).received === '3000')
  })
})
