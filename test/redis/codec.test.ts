import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { expect, test } from 'vitest'
import type { ReadCodec } from '../../src/contract.js'
import { encode } from '../../src/redis/codec.js'
import { deliveriesOf } from '../../src/redis/delivery.js'
import { textFrame } from '../../src/redis/frames.js'
import { Batch } from '../../src/sandbox/batch.js'

const CHANNEL = 'c'
const foreign = new Packr({ useRecords: false })

type Options = { codec: 'json' | 'msgpack'; frames: boolean }
const options: fc.Arbitrary<Options> = fc.record({ codec: fc.constantFrom('json', 'msgpack'), frames: fc.boolean() })
/** What keeps its form in JSON, and in MessagePack, which has no -0 and is read with `__proto_` for a key `__proto__`. */
const json = fc.jsonValue().map((value) => {
  const text = JSON.stringify(value).replace(/-0\b(?!\.)/g, '0')
  return JSON.parse(text.replaceAll('__proto__', '__proto_')) as unknown
})
const odd = fc.constantFrom('', '\x1e', '\x1e[1,2]', '\x1e[', 'a\nb', '{"a":1}', '"t"', ' 7 ', '[', 'ÿ\u2028')
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 30 }),
  fc.constantFrom([0xc1, 1], [0x1e, 0x5b, 0x5d], [0x1e, 0xc1, 0x90], [0xc1]).map((all) => Uint8Array.from(all)),
)
const data = fc.oneof(json, fc.string(), odd, bytes)

/** What goes over the channel. */
function payloadsOf(all: readonly unknown[], { codec, frames }: Options): Buffer[] {
  const batch = new Batch(1)
  for (const one of all) {
    const payload = encode(one, codec, CHANNEL)
    const isData = typeof one !== 'string' && !(one instanceof Uint8Array)
    void batch.add(CHANNEL, { payload, isData, bytes: 0 }, { codec, frames })
  }
  return batch.stretches().flatMap(({ payloads }) => payloads.map((payload) => Buffer.from(payload as string)))
}

const received = (payloads: readonly Buffer[], codec?: ReadCodec) =>
  payloads.flatMap((payload) => deliveriesOf({ channel: CHANNEL }, payload, codec))

/** As those who hear it get it. */
function expected(one: unknown): unknown {
  const text = one instanceof Uint8Array ? Buffer.from(one).toString() : one
  if (typeof text !== 'string') return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

test('what is published in any codec, with frames or without, is received the same, message by message', () => {
  fc.assert(
    fc.property(fc.array(data, { maxLength: 8 }), options, (all, how) => {
      const messages = received(payloadsOf(all, how)).map(({ message }) => message)
      expect(messages.map((message) => message.data)).toEqual(all.map(expected))
    }),
    { numRuns: 1000 },
  )
})

test('strings and binary data arrive byte for byte', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), odd, bytes), { maxLength: 8 }),
      options,
      (all, how) => {
        const came = received(payloadsOf(all, how))
        expect(came.map((one) => one.bytes.toString('hex'))).toEqual(
          all.map((one) => Buffer.from(one as string).toString('hex')),
        )
        expect(came.map(({ raw }) => raw)).toEqual(all.map((one) => Buffer.from(one as string).toString()))
      },
    ),
    { numRuns: 500 },
  )
})

test('without options each message is a Redis message of its own, as it was published', () => {
  const all = ['text', { a: 1 }, Buffer.from([1, 2, 3]), 7, null]
  const payloads = payloadsOf(all, { codec: 'json', frames: false })
  expect(payloads).toEqual(
    ['text', '{"a":1}', Buffer.from([1, 2, 3]), '7', 'null'].map((one) => Buffer.from(one as string)),
  )
})

test('a frame is 0x1E and a JSON array, or 0x1E, 0xC1 and an array of MessagePack; a lone message is none', () => {
  const all = [{ a: 1 }, 'text', [2]]
  expect(String(payloadsOf(all, { codec: 'json', frames: true }))).toBe('\x1e[{"a":1},"text",[2]]')
  const [packed] = payloadsOf(all, { codec: 'msgpack', frames: true })
  expect([...(packed ?? [])].slice(0, 2)).toEqual([0x1e, 0xc1])
  expect(foreign.unpack(packed?.subarray(2) ?? Buffer.alloc(0))).toEqual(all)
  expect(String(payloadsOf([{ a: 1 }], { codec: 'json', frames: true }))).toBe('{"a":1}')
  const [lone] = payloadsOf([{ a: 1 }], { codec: 'msgpack', frames: true })
  expect(lone?.[0]).toBe(0xc1)
  expect(foreign.unpack(lone?.subarray(1) ?? Buffer.alloc(0))).toEqual({ a: 1 })
})

test('a source may be read as text, as bytes, or as the MessagePack of another program', () => {
  const plain = [foreign.pack({ n: 1, bytes: Buffer.from([0, 255]) })]
  expect(received(plain, 'msgpack').map(({ message }) => message.data)).toMatchObject([{ n: 1 }])
  expect(received([Buffer.from('{"a":1}')], 'text')[0]?.message.data).toBe('{"a":1}')
  expect(received([Buffer.from([0xff, 0x00])], 'buffer')[0]?.message.data).toEqual(Buffer.from([0xff, 0x00]))
  expect(received([Buffer.from(textFrame(['{"a":1}', '"t"']))], 'text').map(({ message }) => message.data)).toEqual([
    '{"a":1}',
    't',
  ])
})

test('what is no frame and no MessagePack, though it begins like one, is received as it came', () => {
  fc.assert(
    fc.property(fc.constantFrom(0x1e, 0xc1), fc.uint8Array({ maxLength: 20 }), (first, rest) => {
      const payload = Buffer.from([first, ...rest])
      for (const codec of [undefined, 'text', 'buffer', 'msgpack'] as const) {
        for (const { message } of received([payload], codec)) {
          expect(typeof message.raw).toBe('string')
          expect(Buffer.isBuffer(message.bytes)).toBe(true)
          expect(JSON.parse(JSON.stringify(message)).channel).toBe(CHANNEL)
        }
      }
    }),
  )
})

test('what has no form in a codec is refused with a code', () => {
  const circular: unknown[] = []
  circular.push(circular)
  for (const codec of ['json', 'msgpack'] as const) {
    for (const one of [undefined, () => 1, Symbol('s'), circular]) {
      expect(() => encode(one, codec, CHANNEL), String(codec)).toThrow(
        expect.objectContaining({ code: 'NOT_SERIALIZABLE' }),
      )
    }
  }
})
