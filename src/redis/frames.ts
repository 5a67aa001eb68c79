import { MSGPACK_MARK, msgpack } from './codec.js'

/**
 * Begins a frame, many messages in one Redis message: what follows is a JSON array, or the mark of MessagePack and an
 * array of it. An element that is a string or binary is a message that was published as such; any other is its data.
 */
export const FRAME_MARK = 0x1e
const TEXT_MARK = String.fromCharCode(FRAME_MARK)
const BRACKET = 0x5b

/** A frame of messages that are JSON, or texts to be put into JSON. */
export function textFrame(elements: readonly string[]): string {
  return `${TEXT_MARK}[${elements.join(',')}]`
}

/** A frame of messages that are MessagePack, without their marks. */
export function binaryFrame(elements: readonly Buffer[]): Buffer {
  const head = Buffer.from([FRAME_MARK, MSGPACK_MARK, 0xdd, 0, 0, 0, 0])
  head.writeUInt32BE(elements.length, 3)
  return Buffer.concat([head, ...elements])
}

/** One message of MessagePack, with its mark. */
export function marked(packed: Buffer): Buffer {
  const payload = Buffer.allocUnsafe(packed.length + 1)
  payload[0] = MSGPACK_MARK
  payload.set(packed, 1)
  return payload
}

/**
 * A string or binary data as it is published: as it is. Only where it begins with a byte that would be taken for a mark,
 * it goes as a frame of its own, so that whoever hears it gets what was published.
 */
export function unmistakable(data: string | Buffer): string | Buffer {
  if (typeof data === 'string') return data.charCodeAt(0) === FRAME_MARK ? textFrame([JSON.stringify(data)]) : data
  return data[0] === FRAME_MARK || data[0] === MSGPACK_MARK ? binaryFrame([msgpack().pack(data)]) : data
}

/** The elements of a frame, or undefined where the payload is none. */
export function unframed(payload: Buffer): unknown[] | undefined {
  if (payload[0] !== FRAME_MARK) return undefined
  try {
    const elements: unknown =
      payload[1] === MSGPACK_MARK
        ? msgpack().unpack(payload.subarray(2))
        : payload[1] === BRACKET && JSON.parse(payload.toString('utf8', 1))
    return Array.isArray(elements) ? elements : undefined
  } catch {
    return undefined
  }
}
