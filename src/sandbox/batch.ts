import type { ChannelOptions } from '../contract.js'
import { msgpack } from '../redis/codec.js'
import { binaryFrame, marked, textFrame, unmistakable } from '../redis/frames.js'
import type { Stretch } from '../redis/publish-scripts.js'

/** More at once would keep Redis from its other clients for too long. */
const BATCH_MESSAGES = 512
const BATCH_BYTES = 256 * 1024
/** What a stretch takes in memory beside its messages, and what a channel that is new to a batch takes, bytes, about. */
const STRETCH_BYTES = 180
const CHANNEL_BYTES = 320

/** What was published, as `encode` made it; `isData` where it is neither a string nor binary data. */
export interface Encoded {
  payload: string | Buffer
  isData: boolean
  bytes: number
}

type Kind = 'lines' | 'plain' | 'text frame' | 'binary frame'

/** Messages that go to Redis in one call. Those of one channel are taken by the same number of subscribers. */
export class Batch {
  count = 0
  /** Of memory: the messages, and what keeps them together. */
  bytes = 0
  readonly #stretches: Growing[] = []
  readonly #taken = new Map<string, Deferred>()
  #last: Growing | undefined

  constructor(readonly n: number) {}

  hasRoomFor(bytes: number): boolean {
    return this.count === 0 || (this.count < BATCH_MESSAGES && this.bytes + bytes <= BATCH_BYTES)
  }

  get isFull(): boolean {
    return this.count >= BATCH_MESSAGES
  }

  /** @returns what resolves with the number of subscribers that got it */
  add(channel: string, message: Encoded, { codec, frames = false }: ChannelOptions): Promise<number> {
    const kind = kindOf(message, codec === 'msgpack', frames)
    const part = partOf(message, kind, codec === 'msgpack')
    let stretch = this.#last
    if (stretch?.channel === channel && stretch.kind === kind) stretch.payloads.push(part)
    else {
      // not pushed: an array of one message takes little, and channels may take turns
      stretch = { channel, kind, payloads: [part], first: message, taken: this.#takenOf(channel) }
      this.#last = stretch
      this.#stretches.push(stretch)
      this.bytes += STRETCH_BYTES
    }
    this.count++
    this.bytes += message.bytes
    return stretch.taken.promise
  }

  stretches(): Stretch[] {
    return this.#stretches.map((stretch) => ({
      channel: stretch.channel,
      count: stretch.payloads.length,
      payloads: payloadsOf(stretch),
      asLines: stretch.kind === 'lines',
    }))
  }

  /** How many messages of each channel there are. */
  counts(): { channel: string; count: number }[] {
    return this.#stretches.map(({ channel, payloads }) => ({ channel, count: payloads.length }))
  }

  /** @param subscribers by stretch */
  resolve(subscribers: readonly number[]): void {
    for (let i = 0; i < this.#stretches.length; i++) this.#stretches[i]?.taken.resolve(subscribers[i] ?? 0)
  }

  /** @param quietly nobody who doesn't await its `publish` is to die of it */
  reject(error: unknown, quietly = false): void {
    for (const { promise, reject } of this.#taken.values()) {
      if (quietly) promise.catch(() => {})
      reject(error)
    }
  }

  #takenOf(channel: string): Deferred {
    const known = this.#taken.get(channel)
    if (known) return known
    const made = deferred()
    this.#taken.set(channel, made)
    this.bytes += CHANNEL_BYTES
    return made
  }
}

interface Growing {
  channel: string
  kind: Kind
  /** Of a frame: its elements. */
  payloads: (string | Buffer)[]
  first: Encoded
  taken: Deferred
}

interface Deferred {
  promise: Promise<number>
  resolve(subscribers: number): void
  reject(error: unknown): void
}

function kindOf({ payload, isData }: Encoded, packed: boolean, frames: boolean): Kind {
  if (frames && packed) return 'binary frame'
  if (typeof payload !== 'string') return 'plain' // JSON has no form for binary data
  if (frames) return 'text frame'
  return isData || !payload.includes('\n') ? 'lines' : 'plain'
}

/** What of a message goes into its stretch. */
function partOf(message: Encoded, kind: Kind, packed: boolean): string | Buffer {
  const { payload, isData } = message
  if (kind === 'text frame') return isData ? payload : JSON.stringify(payload)
  if (kind === 'binary frame') return isData ? payload : msgpack().pack(payload)
  return aloneOf(message, packed)
}

function payloadsOf({ kind, payloads, first }: Growing): readonly (string | Buffer)[] {
  const isFrame = kind === 'text frame' || kind === 'binary frame'
  if (!isFrame) return payloads
  if (payloads.length === 1) return [aloneOf(first, kind === 'binary frame')]
  return [kind === 'text frame' ? textFrame(payloads as string[]) : binaryFrame(payloads as Buffer[])]
}

/** A message that shares its Redis message with no other. */
function aloneOf({ payload, isData }: Encoded, packed: boolean): string | Buffer {
  if (!isData) return unmistakable(payload)
  return packed ? marked(payload as Buffer) : payload
}

function deferred(): Deferred {
  const made = {} as Deferred
  made.promise = new Promise<number>((resolve, reject) => {
    made.resolve = resolve
    made.reject = reject
  })
  return made
}
