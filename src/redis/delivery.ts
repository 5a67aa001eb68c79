import type { Message, ReadCodec } from '../contract.js'
import { MSGPACK_MARK, msgpack, parsedText } from './codec.js'
import { unframed } from './frames.js'
import type { Names } from './names.js'

/** Where messages come from. */
export type Origin = Pick<Message, 'channel' | 'type' | 'nickname'>

export const originOf = (names: Names, channel: string): Origin => ({ channel, ...names.parsePub(channel) })

/** The messages that one Redis message carries, in their order. */
export function deliveriesOf(origin: Origin, payload: Buffer, codec?: ReadCodec): Delivery[] {
  // binary data in elements is a part of what they were read from
  const isWhole = payload[1] !== MSGPACK_MARK || !isSmallPart(payload)
  const elements = unframed(isWhole ? payload : copyOf(payload))
  if (!elements) return [new Delivery(origin, payload, undefined, payload.length, codec)]
  const size = Math.ceil(payload.length / Math.max(1, elements.length))
  return elements.map((element) =>
    element instanceof Uint8Array
      ? new Delivery(origin, Buffer.from(element), undefined, element.length, codec, true)
      : new Delivery(origin, undefined, element, size, codec),
  )
}

/**
 * One message: the payload as it came or, of a frame, its element. It is read when first asked for, and once, however
 * many handlers hear it.
 */
export class Delivery {
  readonly origin: Origin
  /** In bytes; of a message from a frame, about. */
  readonly size: number
  #payload: Buffer | undefined
  readonly #element: unknown
  readonly #codec: ReadCodec | undefined
  /** Published as binary data: a first byte that looks like a mark is none. */
  readonly #plain: boolean
  #message: Received | undefined

  constructor(
    origin: Origin,
    payload: Buffer | undefined,
    element: unknown,
    size: number,
    codec?: ReadCodec,
    plain = false,
  ) {
    this.origin = origin
    this.size = size
    this.#payload = payload
    this.#element = element
    this.#codec = codec
    this.#plain = plain
  }

  get message(): Received {
    this.#message ??= new Received(this, this.#data())
    return this.#message
  }

  /** The memory that its payload is a part of: most often one chunk as it came from the network, with all that is in it. */
  get memory(): ArrayBufferLike | undefined {
    return this.#payload?.buffer
  }

  /** It is to wait: copies its payload out of a much larger chunk. Once, however many queues it waits in. */
  keep(): void {
    const payload = this.#payload
    if (!payload || !isSmallPart(payload)) return
    this.#payload = copyOf(payload)
    // read as binary data, it is or has in it a part of the chunk, too
    if (this.#codec === 'buffer' || this.#codec === 'msgpack' || this.#isMarked(payload)) this.#message = undefined
  }

  /** As text: what was published or, of MessagePack, the data in JSON. */
  get raw(): string {
    const payload = this.#payload
    if (payload && !this.#isMarked(payload) && this.#codec !== 'msgpack') return payload.toString()
    const data = payload ? this.#unpacked(payload) : this.#element
    return typeof data === 'string' ? data : jsonOf(data)
  }

  get bytes(): Buffer {
    return this.#payload ?? Buffer.from(this.raw)
  }

  #data(): unknown {
    if (this.#codec === 'text') return this.raw
    if (this.#codec === 'buffer') return this.bytes
    const payload = this.#payload
    if (!payload) return typeof this.#element === 'string' ? parsedText(this.#element) : this.#element
    if (this.#codec === 'msgpack' || this.#isMarked(payload)) return this.#unpacked(payload)
    return parsedText(payload.toString())
  }

  #isMarked(payload: Buffer): boolean {
    return payload[0] === MSGPACK_MARK && !this.#plain
  }

  /** What can not be read comes as it is. */
  #unpacked(payload: Buffer): unknown {
    try {
      return msgpack().unpack(this.#isMarked(payload) ? payload.subarray(1) : payload)
    } catch {
      return payload
    }
  }
}

/** What a handler gets. `raw` and `bytes` are made when asked for. */
export class Received implements Message {
  readonly data: unknown
  readonly channel: string
  readonly type?: string | undefined
  readonly nickname?: string | undefined
  readonly #delivery: Delivery

  constructor(delivery: Delivery, data: unknown) {
    const { channel, type, nickname } = delivery.origin
    this.data = data
    this.channel = channel
    this.type = type
    this.nickname = nickname
    this.#delivery = delivery
  }

  get raw(): string {
    return this.#delivery.raw
  }

  get bytes(): Buffer {
    return this.#delivery.bytes
  }

  /** The same with other data, as a schema has made it. */
  with(data: unknown): Received {
    return new Received(this.#delivery, data)
  }

  toJSON(): unknown {
    const { data, raw, channel, type, nickname } = this
    return { data, raw, channel, type, nickname }
  }
}

function isSmallPart(payload: Buffer): boolean {
  return payload.buffer.byteLength > 2 * payload.length
}

/** Not from the pool that small buffers share. */
function copyOf(payload: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(payload.length)
  copy.set(payload)
  return copy
}

function jsonOf(data: unknown): string {
  const replacer = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
  return JSON.stringify(data, replacer) ?? String(data)
}
