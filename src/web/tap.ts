import type { Client } from '../client.js'
import type { Source } from './shared.js'
import { pause } from './soon.js'

export interface Tapped {
  /** A sample, oldest first. */
  messages: { time: number; text: string; bytes: number }[]
  /** How many came since the last frame, those of the sample included. */
  seen: number
  /** Too many came: they are not listened to for a while, so that watching costs no more than a bit. */
  resting: boolean
}

const FLUSH_MS = 250
/** Messages in one frame, and characters of each. */
const SAMPLE = 10
const LENGTH = 2_000
/** So many within one frame, and the channel is left alone for a while. */
const BURST = 2_000
const REST_MS = 1_000

/** The messages of a channel, a sample of them where it is fast. */
export function tapOf(client: Pick<Client, 'tail'>, channel: string): Source<Tapped> {
  return async (tell, signal) => {
    while (!signal.aborted) {
      const burst = await tapUntilBurst(client, channel, tell, signal)
      if (burst) await pause(REST_MS, signal)
      else return
    }
  }
}

async function tapUntilBurst(
  client: Pick<Client, 'tail'>,
  channel: string,
  tell: (item: Tapped) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const enough = new AbortController()
  const end = () => enough.abort()
  signal.addEventListener('abort', end, { once: true })
  let next: Tapped = { messages: [], seen: 0, resting: false }
  let last = ''
  const flush = () => {
    if (next.seen === 0) return
    tell(next)
    last = next.resting ? 'resting' : ''
    next = { messages: [], seen: 0, resting: false }
  }
  const timer = setInterval(flush, FLUSH_MS)
  try {
    for await (const { raw, time } of client.tail(channel, { signal: enough.signal })) {
      if (enough.signal.aborted) break
      next.seen++
      const bytes = Buffer.byteLength(raw)
      if (next.messages.length < SAMPLE) next.messages.push({ time, bytes, text: raw.slice(0, LENGTH) })
      if (next.seen < BURST) continue
      next.resting = true
      end()
    }
  } finally {
    clearInterval(timer)
    signal.removeEventListener('abort', end)
    flush()
  }
  return last === 'resting' && !signal.aborted
}
