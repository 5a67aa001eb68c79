import { expect, test } from 'vitest'
import { checkOptions } from '../../src/sandbox/options.js'

const check = (options: object) => checkOptions({ receive() {}, ...options })

test('options of publishing and receiving that fit are taken', () => {
  check({
    publishing: {
      codec: 'msgpack',
      frames: true,
      channels: { lines: { codec: 'json' }, other: { frames: false } },
      limitBytes: 1e6,
      whenFull: 'wait',
    },
    receiving: { limitMessages: 10, limitBytes: 65_536, whenFull: 'dropNewest' },
    subscribe: [
      { channel: 'a', codec: 'text' },
      { type: 'B', nickname: 'c', codec: 'msgpack' },
    ],
  })
  checkOptions({ every: 1000, tick() {}, publishing: { frames: true } })
})

test.each([
  [{ publishing: 7 }, /^publishing: given 7, wanted an object/],
  [{ publishing: { codec: 'xml' } }, /^publishing\.codec: given "xml", wanted "json" or "msgpack"$/],
  [{ publishing: { frames: 'yes' } }, /^publishing\.frames: given "yes", wanted true or false$/],
  [{ publishing: { frame: true } }, /^publishing\.frame is not an option\. Did you mean "frames"$/],
  [{ publishing: { limitBytes: 10 } }, /^publishing\.limitBytes: given 10, wanted a whole number of bytes/],
  [{ publishing: { whenFull: 'drop' } }, /^publishing\.whenFull: given "drop", wanted "fail" or "wait"$/],
  [{ publishing: { channels: [] } }, /^publishing\.channels: given \[\], wanted an object by name$/],
  [{ publishing: { channels: { a: true } } }, /^publishing\.channels\.a: given true, wanted/],
  [{ publishing: { channels: { a: { limitBytes: 1e6 } } } }, /^publishing\.channels\.a\.limitBytes is not an option/],
  [{ receiving: 'wait' }, /^receiving: given "wait", wanted an object/],
  [{ receiving: { limitMessages: 0 } }, /^receiving\.limitMessages: given 0, wanted a whole number from 1/],
  [{ receiving: { limitBytes: 0.5 } }, /^receiving\.limitBytes: given 0\.5, wanted/],
  [
    { receiving: { whenFull: 'fail' } },
    /^receiving\.whenFull: given "fail", wanted "wait", "dropOldest" or "dropNewest"$/,
  ],
  [{ receiving: { policy: 'wait' } }, /^receiving\.policy is not an option/],
  [
    { subscribe: { channel: 'a', codec: 'json' } },
    /^subscribe\.codec: given "json", wanted "text", "buffer" or "msgpack"$/,
  ],
])('%j is refused with what is wanted', (options, sentence) => {
  expect(() => check(options)).toThrow(sentence)
})

test('a repeatable processor has nothing to receive', () => {
  expect(() => checkOptions({ every: 1000, tick() {}, receiving: {} })).toThrow(
    /tick does not go together with receiving/,
  )
})
