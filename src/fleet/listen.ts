import type { Redis } from 'ioredis'

/** What came over a channel, and when (Unix ms of this host). */
export interface Heard {
  channel: string
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
  const hear = (channel: string, raw: string) => {
    if (waiting.length >= BACKLOG) waiting.shift()
    waiting.push({ channel, raw, time: Date.now() })
    wake()
  }
  const onAbort = () => wake()
  subscriber.on('message', hear)
  subscriber.on('pmessage', (_pattern: string, channel: string, raw: string) => hear(channel, raw))
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
    subscriber.disconnect()
  }
}
