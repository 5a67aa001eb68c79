import { createRequire } from 'node:module'
import type { Codec } from '../contract.js'
import { HysasError, messageOf } from '../errors.js'

/** Begins what is MessagePack: no text in UTF-8 has this byte, and no MessagePack uses it. */
export const MSGPACK_MARK = 0xc1

type Packr = Pick<import('msgpackr').Packr, 'pack' | 'unpack'>
let packr: Packr | undefined

/** Loaded when the first message needs it: a child that has none starts faster. */
export function msgpack(): Packr {
  if (packr) return packr
  const { Packr } = createRequire(import.meta.url)('msgpackr') as typeof import('msgpackr')
  packr = new Packr({ useRecords: false, encodeUndefinedAsNil: true })
  return packr
}

/**
 * The form in which data is published: strings and binary data as they are (binary data copied, since it may be used
 * again while it waits), all else as JSON, or as MessagePack without its mark.
 * @throws HysasError NOT_SERIALIZABLE
 */
export function encode(data: unknown, codec: Codec, channel: string): string | Buffer {
  if (typeof data === 'string') return data
  if (data instanceof Uint8Array) return Buffer.from(data)
  let reason = `${typeof data} has no form in ${codec === 'msgpack' ? 'MessagePack' : 'JSON'}`
  try {
    if (codec === 'json') {
      const json = JSON.stringify(data) as string | undefined
      if (json !== undefined) return json
    } else if (data !== undefined && typeof data !== 'function' && typeof data !== 'symbol') {
      return msgpack().pack(data)
    }
  } catch (error) {
    reason = messageOf(error)
  }
  throw new HysasError('NOT_SERIALIZABLE', { channel, reason })
}

/** The parsed JSON, or the text where it is none. */
export function parsedText(text: string): unknown {
  if (!mayBeJson(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A failed JSON.parse costs far more than a good one, and lines of text are as usual here as JSON. */
function mayBeJson(text: string): boolean {
  const first = text.charCodeAt(0)
  if (first === 0x7b || first === 0x5b || first <= 0x22) return true // an object, a list, a string, white space
  return text.length <= 32 && /^(?:-?\d|true|false|null)/.test(text)
}
