import type { Redis } from 'ioredis'
import { createMessageParser } from './message-parser.js'

/**
 * What a connection with subscriptions emits, in its place among the messages, when Redis has begun or ended a
 * subscription: whoever waits for the promise of it knows that only after the messages that came in the same chunk.
 */
export const SUBSCRIPTIONS = Symbol('subscriptions')
/** How far a reply must be read to tell it from all others: to the end of the name of `punsubscribe`. */
const KIND_LENGTH = '>3\r\n$12\r\npunsubscribe'.length

type OnMessage = (pattern: string | undefined, channel: Buffer, payload: Buffer) => void

/**
 * Hears the messages of a connection that is used for subscriptions alone. ioredis reads at most some 400,000 a second;
 * so each socket that it opens is read here first, and ioredis gets all but the messages. Where it has no reader in the
 * usual place, or speaks the older protocol, the messages come from ioredis itself.
 */
export function takeMessages(redis: Redis, hear: OnMessage): void {
  const onMessage: OnMessage = (pattern, channel, payload) => {
    try {
      hear(pattern, channel, payload)
    } catch (error) {
      // what a listener throws must not cost the connection its place in the stream
      process.nextTick(() => {
        throw error
      })
    }
  }
  redis.on('messageBuffer', (channel: Buffer, payload: Buffer) => onMessage(undefined, channel, payload))
  redis.on('pmessageBuffer', onMessage)
  redis.on('connect', () => {
    const { stream } = redis
    const [theirs] = stream.listeners('data') as ((chunk: Buffer) => void)[]
    if (!theirs) return
    const onOther = (reply: Buffer) => {
      if (reply.subarray(0, KIND_LENGTH).includes('subscribe')) redis.emit(SUBSCRIPTIONS)
      theirs.call(stream, reply)
    }
    const parser = createMessageParser({ onMessage, onOther })
    stream.removeListener('data', theirs)
    stream.prependListener('data', parser.write)
  })
}
