import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineSplitter, textOf } from '../../../processors/lib/line-splitter.js'

const read = (chunks: Buffer[], maxBytes = 1000) => {
  const splitter = new LineSplitter(maxBytes)
  const lines = chunks.flatMap((chunk) => splitter.push(chunk))
  const rest = splitter.flush()
  return rest ? [...lines, rest] : lines
}

test('however the bytes are cut into pieces, the lines are the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(40)), (bytes, cuts) => {
      const whole = Buffer.from(bytes.map((byte) => (byte < 60 ? 10 : byte)))
      const pieces: Buffer[] = []
      let from = 0
      for (const cut of cuts) {
        pieces.push(whole.subarray(from, from + cut))
        from += cut
      }
      pieces.push(whole.subarray(from))
      const lines = read(pieces, 16)
      expect(lines).toEqual(read([whole], 16))
      expect(lines.reduce((sum, { size }) => sum + size, 0)).toBe(whole.length)
      for (const { bytes: held } of lines) expect(held.length).toBeLessThanOrEqual(16)
    }),
  )
})

test('a cut never leaves half a character', () => {
  const [line] = read([Buffer.from('aä€😀\n')], 4)
  expect(line && textOf(line, 'utf8')).toBe('aä')
  const [emoji] = read([Buffer.from('a😀b\n')], 5)
  expect(emoji && textOf(emoji, 'utf8')).toBe('a😀')
})

test('a carriage return inside a line stays', () => {
  const [line] = read([Buffer.from('a\rb\r\n')])
  expect(line && textOf(line, 'utf8')).toBe('a\rb')
})
