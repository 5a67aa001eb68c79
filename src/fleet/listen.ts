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

interface Listening {
  channels?: string[]
  patterns?: string[]
  signal: AbortSignal
  /**
   * Told, before the next message, how many are missing there, as they were not taken in time; null where the connection
   * was lost, so that nobody knows.
   */
  dropped?: ((messages: number | null) => void) | undefined
  /** Told each time that whatever is published from now on is heard: at the beginning, and after a lost connection. */
  hearing?: (() => void) | undefined
}

/**
 * Messages of channels and patterns as they come, until the signal aborts. The connection is the caller's own, used for
 * nothing else, and closed at the end.
 */
export async function* listen(
  subscriber: Redis,
  { channels = [], patterns = [], signal, dropped, hearing }: Listening,
): AsyncGenerator<Heard> {
  const waiting: (Heard | 'cut')[] = []
  let missing = 0
  let wake = () => {}
  const hear = (channelBytes: Buffer, payload: Buffer) => {
    const channel = channelBytes.toString()
    for (const { raw } of deliveriesOf({ channel }, payload)) {
      if (waiting.length >= BACKLOG && waiting.shift() !== 'cut') missing++
      waiting.push({ channel, raw, time: Date.now() })
    }
    wake()
  }
  const onAbort = () => wake()
  let isCut = false
  const onClose = () => {
    if (!isCut && waiting.at(-1) !== 'cut') waiting.push('cut')
    isCut = true // what closes before it is ready again is an attempt that failed
    wake()
  }
  const subscribe = async () => {
    if (channels.length) await subscriber.subscribe(...channels)
    if (patterns.length) await subscriber.psubscribe(...patterns)
    hearing?.()
  }
  // the connection subscribes anew by itself; asked once more, it answers when that is done
  const onReady = () => {
    isCut = false
    subscribe().catch(() => {})
  }
  subscriber.on('messageBuffer', hear)
  subscriber.on('pmessageBuffer', (_pattern: string, channel: Buffer, payload: Buffer) => hear(channel, payload))
  signal.addEventListener('abort', onAbort)
  try {
    await subscribe()
    subscriber.on('close', onClose).on('ready', onReady)
    while (!signal.aborted) {
      const next = waiting.shift()
      if (missing) dropped?.(missing)
      missing = 0
      if (next === 'cut') dropped?.(null)
      else if (next) yield next
      else
        await new Promise<void>((resolve) => {
          wake = resolve
          if (waiting.length || signal.aborted) resolve()
        })
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    subscriber.off('close', onClose).off('ready', onReady)
    subscriber.removeAllListeners('messageBuffer').removeAllListeners('pmessageBuffer')
    subscriber.disconnect()
  }
}
