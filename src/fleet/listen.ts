import type { Redis } from 'ioredis'
import { deliveriesOf } from '../redis/delivery.js'

/** What came over a channel, and when (Unix ms of this host). */
export interface Heard {
  channel: string
  /** As text; MessagePack in JSON. */
  raw: string
  time: number
}

/** Messages that a slow reader may be behind before the oldest are dropped. */
const BACKLOG = 10_000

/**
 * Messages of channels and patterns as they come, until the signal aborts. The connection is the caller's own, used for
 * nothing else, and closed at the end.
 */
export async function* listen(
  subscriber: Redis,
  { channels = [], patterns = [], signal }: { channels?: string[]; patterns?: string[]; signal: AbortSignal },
): AsyncGenerator<Heard> {
  const waiting: Heard[] = []
  let wake = () => {}
  const hear = (channelBytes: Buffer, payload: Buffer) => {
    const channel = channelBytes.toString()
    for (const { raw } of deliveriesOf({ channel }, payload)) {
      if (waiting.length >= BACKLOG) waiting.shift()
      waiting.push({ channel, raw, time: Date.now() })
    }
    wake()
  }
  const onAbort = () => wake()
  subscriber.on('messageBuffer', hear)
  subscriber.on('pmessageBuffer', (_pattern: string, channel: Buffer, payload: Buffer) => hear(channel, payload))
  signal.addEventListener('abort', onAbort)
  try {
    if (channels.length) await subscriber.subscribe(...channels)
    if (patterns.length) await subscriber.psubscribe(...patterns)
    while (!signal.aborted) {
      const next = waiting.shift()
      if (next) yield next
      else
        await new Promise<void>((resolve) => {
          wake = resolve
          if (waiting.length || signal.aborted) resolve()
        })
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    subscriber.removeAllListeners('messageBuffer').removeAllListeners('pmessageBuffer')
    subscriber.disconnect()
  }
}
