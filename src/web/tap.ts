import type { Client } from '../client.js'
import type { Source } from './shared.js'
import { pause } from './soon.js'

export interface Tapped {
  /** A sample, oldest first; `cut` where the text is only its beginning. */
  messages: { time: number; text: string; bytes: number; cut?: true }[]
  /** How many came since the last frame, those of the sample included. */
  seen: number
  /** Too many came: they are not listened to for a while, so that watching costs no more than a bit. */
  resting: boolean
  /** How many are missing before these; null where the connection to Redis was lost, so that nobody knows. */
  missed: number | null
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
  let next = nothing()
  let last = ''
  const flush = () => {
    if (next.seen === 0 && next.missed === 0) return
    tell(next)
    last = next.resting ? 'resting' : ''
    next = nothing()
  }
  const dropped = (messages: number | null) => {
    flush() // what came before it is told before it
    next.missed = messages
  }
  const timer = setInterval(flush, FLUSH_MS)
  try {
    for await (const { raw, time } of client.tail(channel, { signal: enough.signal, exactly: true, dropped })) {
      if (enough.signal.aborted) break
      next.seen++
      if (next.messages.length < SAMPLE) next.messages.push(messageOf(raw, time))
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

const nothing = (): Tapped => ({ messages: [], seen: 0, resting: false, missed: 0 })

function messageOf(raw: string, time: number): Tapped['messages'][number] {
  const cut = raw.length > LENGTH
  return { time, bytes: Buffer.byteLength(raw), text: cut ? raw.slice(0, LENGTH) : raw, ...(cut && { cut }) }
}
