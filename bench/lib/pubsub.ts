import { Redis } from 'ioredis'
import { connectNats } from './nats.js'

/** What a yardstick of the channels offers: plain ioredis, or NATS with its own JS client. */
export interface Pubsub {
  publish(channel: string, text: string): void
  subscribe(channel: string, heard: (text: string) => void): Promise<void>
  /** Resolves when the server has all. */
  flush(): Promise<unknown>
}

export async function openPubsub(kind: 'ioredis' | 'nats', url: string): Promise<Pubsub> {
  return kind === 'nats' ? ofNats(url) : ofRedis(url)
}

async function ofNats(url: string): Promise<Pubsub> {
  const connection = await connectNats(url)
  const encoder = new TextEncoder()
  const decoder = new TextDecoder()
  return {
    publish: (channel, text) => connection.publish(channel, encoder.encode(text)),
    async subscribe(channel, heard) {
      connection.subscribe(channel, { callback: (_error, { data }) => heard(decoder.decode(data)) })
      await connection.flush()
    },
    flush: () => connection.flush(),
  }
}

async function ofRedis(url: string): Promise<Pubsub> {
  const publisher = new Redis(url, { enableAutoPipelining: true })
  const subscriber = new Redis(url)
  const heard = new Map<string, (text: string) => void>()
  subscriber.on('message', (channel: string, text: string) => heard.get(channel)?.(text))
  let last: Promise<number> | undefined
  return {
    publish(channel, text) {
      last = publisher.publish(channel, text)
    },
    async subscribe(channel, listener) {
      heard.set(channel, listener)
      await subscriber.subscribe(channel)
    },
    flush: async () => last,
  }
}

/** The message of all rows of channels: about 110 bytes in JSON. */
export const messageOf = (i: number) => ({
  i,
  src: '203.0.113.7',
  dst: '198.51.100.23',
  ts: performance.timeOrigin + performance.now(),
  note: 'accepted a connection from outside',
})
