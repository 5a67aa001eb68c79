import { STREAM_LINES } from '../redis/log-stream.js'
import type { Waiting } from './log-backlog.js'

/** So long Redis keeps all lines of a burst, for those who follow, ms. */
const KEPT_MS = 5000
/** Characters that a worker may log at once; and what it may go on with, a ms. */
const AT_ONCE = 8_000_000
const REFILL_PER_MS = 1_000
/** Fewer lines than these in one flush are no burst. */
const FEW = STREAM_LINES / 2

interface Burst {
  /** Characters that may still come at once, as of then. */
  left: number
  at: number
  /** What was sent lately. */
  sent: { at: number; lines: number; isThere: boolean }[]
}

/**
 * Lets the lines of a burst pass whole, and has Redis keep them until who follows has read them; of a worker that goes on
 * like that only so much as Redis can bear.
 */
export class LogBursts {
  readonly #lately = new Map<string, Burst>()

  /** Takes what is too much out of what is sent next, the oldest first. Returns how many lines Redis has to keep. */
  admit(waiting: Waiting): number {
    const { nickname, texts } = waiting
    const known = this.#lately.get(nickname)
    if (!known && texts.length <= FEW) return STREAM_LINES
    const now = performance.now()
    const burst = known ?? { left: AT_ONCE, at: now, sent: [] }
    let left = leftOf(burst, now)
    let lines = 0
    while (lines < texts.length) {
      left -= texts[texts.length - 1 - lines]?.length ?? 0
      if (left < 0 && lines >= STREAM_LINES) break
      lines++
    }
    waiting.first += texts.length - lines
    texts.splice(0, texts.length - lines)
    const sent = [...recent(burst, now), { at: now, lines, isThere: false }]
    this.#lately.set(nickname, { left: Math.max(0, left), at: now, sent })
    return keptOf(sent)
  }

  /** To be told when Redis has all that was admitted: until then, nobody could read it. */
  sent(): void {
    const now = performance.now()
    for (const { sent } of this.#lately.values()) {
      const last = sent.at(-1)
      if (last && !last.isThere) Object.assign(last, { at: now, isThere: true })
    }
  }

  get size(): number {
    return this.#lately.size
  }

  /** How many lines Redis has to keep of each worker that had a burst lately, now that time has passed. */
  settle(): { nickname: string; keep: number }[] {
    const now = performance.now()
    return [...this.#lately].flatMap(([nickname, burst]) => {
      const sent = recent(burst, now)
      const isNews = sent.length < burst.sent.length
      burst.sent = sent
      if (sent.length === 0 && leftOf(burst, now) >= AT_ONCE) this.#lately.delete(nickname)
      return isNews ? [{ nickname, keep: keptOf(sent) }] : []
    })
  }

  /** The same where the node ends, and nobody waits. */
  end(): { nickname: string; keep: number }[] {
    const all = [...this.#lately.keys()].map((nickname) => ({ nickname, keep: STREAM_LINES }))
    this.#lately.clear()
    return all
  }
}

const leftOf = ({ left, at }: Burst, now: number): number => Math.min(AT_ONCE, left + (now - at) * REFILL_PER_MS)

const recent = ({ sent }: Burst, now: number): Burst['sent'] =>
  sent.filter(({ at, isThere }) => !isThere || now - at < KEPT_MS)

const keptOf = (sent: Burst['sent']): number =>
  Math.max(
    STREAM_LINES,
    sent.reduce((sum, { lines }) => sum + lines, 0),
  )
