import type { Message, Source, Subscription } from '../contract.js'
import { Delivery, originOf } from '../redis/delivery.js'
import type { Names } from '../redis/names.js'
import { tune } from '../sandbox/source.js'

export interface Hearing {
  /** Without `handler`, its messages go to `receive`. */
  subscribe(source: Source, handler?: (message: Message) => unknown): Subscription
  /** Who hears a channel. `receive` once, however many of its sources match. */
  handlersOf(channel: string): ((message: Message) => unknown)[]
  messageOf(channel: string, raw: string | Buffer): Message
  /** A channel that is heard; of the first source. */
  channel(): string | undefined
}

/** What a processor under test hears, in the four ways to name it. */
export function createHearing(names: Names, receive: (message: Message) => unknown): Hearing {
  const heard = new Set<{ source: Source; matches(channel: string): boolean; handler: (message: Message) => unknown }>()
  return {
    subscribe(source, handler = receive) {
      const { matches } = tune(names, source)
      const one = { source, matches, handler }
      heard.add(one)
      return {
        source,
        unsubscribe: async () => {
          heard.delete(one)
        },
      }
    },
    handlersOf: (channel) => [
      ...new Set([...heard].filter(({ matches }) => matches(channel)).map(({ handler }) => handler)),
    ],
    messageOf(channel, raw) {
      const payload = Buffer.from(raw as string)
      return new Delivery(originOf(names, channel), payload, undefined, payload.length).message
    },
    channel() {
      const [first] = heard
      if (!first) return undefined
      const { channel, type = 'Sender', nickname = 'sender' } = first.source
      return channel ?? names.pub(type, nickname)
    },
  }
}
