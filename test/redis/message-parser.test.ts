import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMessageParser } from '../../src/redis/message-parser.js'

const bulk = (bytes: Uint8Array) => Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')])
const list = (head: string, parts: Buffer[]) => Buffer.concat([Buffer.from(head), ...parts])

interface Piece {
  bytes: Buffer
  /** What is to come of it. */
  heard: unknown[]
}

const binary = fc.uint8Array({ maxLength: 40 })
const message: fc.Arbitrary<Piece> = fc.tuple(binary, binary).map(([channel, payload]) => ({
  bytes: list('>3\r\n', [bulk(Buffer.from('message')), bulk(channel), bulk(payload)]),
  heard: ['message', undefined, hex(channel), hex(payload)],
}))
const patternMessage: fc.Arbitrary<Piece> = fc
  .tuple(fc.string({ maxLength: 10 }), binary, binary)
  .map(([pattern, channel, payload]) => ({
    bytes: list('>4\r\n', [bulk(Buffer.from('pmessage')), bulk(Buffer.from(pattern)), bulk(channel), bulk(payload)]),
    heard: ['message', pattern, hex(channel), hex(payload)],
  }))
const { reply } = fc.letrec<{ reply: Buffer; leaf: Buffer }>((tie) => ({
  leaf: fc.oneof(
    fc
      .constantFrom('+OK\r\n', '-ERR no\r\n', ':-12\r\n', '_\r\n', '#t\r\n', ',1.5\r\n', '(123\r\n', '$-1\r\n')
      .map((text) => Buffer.from(text)),
    binary.map(bulk),
    binary.map((text) => list('=', [bulk(text).subarray(1)])),
  ),
  reply: fc.oneof(
    { maxDepth: 3 },
    tie('leaf'),
    fc.array(tie('reply'), { maxLength: 3 }).map((all) => list(`*${all.length}\r\n`, all)),
    fc.array(tie('reply'), { maxLength: 3 }).map((all) => list(`~${all.length}\r\n`, all)),
    fc
      .array(fc.tuple(tie('leaf'), tie('reply')), { maxLength: 2 })
      .map((all) => list(`%${all.length}\r\n`, all.flat())),
    tie('leaf').map((value) => list('|1\r\n', [Buffer.from('+ttl\r\n'), Buffer.from(':1\r\n'), value])),
  ),
}))
const subscribed = fc
  .tuple(fc.constantFrom('subscribe', 'psubscribe', 'unsubscribe', 'messages', 'mess'), binary)
  .map(([kind, channel]) => list('>3\r\n', [bulk(Buffer.from(kind)), bulk(channel), Buffer.from(':1\r\n')]))
const other: fc.Arbitrary<Piece> = fc.oneof(reply, subscribed).map((bytes) => ({ bytes, heard: ['other', hex(bytes)] }))

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('messages are taken out, and all other replies handed on whole and in order, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(message, patternMessage, other), { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      (pieces, cuts) => {
        const heard: unknown[] = []
        const parser = createMessageParser({
          onMessage: (pattern, channel, payload) => heard.push(['message', pattern, hex(channel), hex(payload)]),
          onOther: (bytes) => heard.push(['other', hex(bytes)]),
        })
        const all = Buffer.concat(pieces.map(({ bytes }) => bytes))
        const places = [...new Set([0, ...cuts.map((cut) => cut % (all.length + 1)), all.length])].sort((a, b) => a - b)
        places.slice(1).forEach((to, i) => {
          parser.write(all.subarray(places[i], to))
        })
        expect(heard).toEqual(pieces.map((piece) => piece.heard))
      },
    ),
    { numRuns: 1000 },
  )
})

test('what is heard is the same when it comes byte by byte', () => {
  const heard: string[] = []
  const parser = createMessageParser({
    onMessage: (_pattern, channel, payload) => heard.push(`${channel} ${payload}`),
    onOther: (bytes) => heard.push(String(bytes)),
  })
  const text = '>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$3\r\nx\r\n\r\n>2\r\n+a\r\n+b\r\n'
  for (const byte of Buffer.from(text)) parser.write(Buffer.from([byte]))
  expect(heard).toEqual(['a x\r\n', '>2\r\n+a\r\n+b\r\n'])
})
