import type { Source, Subscription } from '../contract.js'
import { Delivery, originOf, type Received } from '../redis/delivery.js'
import type { Names } from '../redis/names.js'
import { type Tuned, tune } from '../sandbox/source.js'

export interface Hearing {
  /** Without `handler`, its messages go to `receive`. */
  subscribe(source: Source, handler?: (message: Received) => unknown): Subscription
  /** Who hears a channel. `receive` once, however many of its sources match. */
  handlersOf(channel: string): ((message: Received) => unknown)[]
  /** Read as the first source says that hears it. */
  messageOf(channel: string, raw: string | Buffer): Received
  /** A channel that is heard; of the first source. */
  channel(): string | undefined
}

/** What a processor under test hears, in the four ways to name it. */
export function createHearing(names: Names, receive: (message: Received) => unknown): Hearing {
  const heard = new Set<{ source: Source; tuned: Tuned; handler: (message: Received) => unknown }>()
  return {
    subscribe(source, handler = receive) {
      const one = { source, tuned: tune(names, source), handler }
      heard.add(one)
      return {
        source,
        unsubscribe: async () => {
          heard.delete(one)
        },
      }
    },
    handlersOf: (channel) => [
      ...new Set([...heard].filter(({ tuned }) => tuned.matches(channel)).map(({ handler }) => handler)),
    ],
    messageOf(channel, raw) {
      const payload = Buffer.from(raw as string)
      const codec = [...heard].find(({ tuned }) => tuned.matches(channel))?.tuned.codec
      return new Delivery(originOf(names, channel), payload, undefined, payload.length, codec).message
    },
    channel() {
      const [first] = heard
      if (!first) return undefined
      const { channel, type = 'Sender', nickname = 'sender' } = first.source
      return channel ?? names.pub(type, nickname)
    },
  }
}
