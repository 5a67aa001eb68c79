import { infoText } from '../redis/run-scripts.js'
import type { Session } from './session.js'

/** All fields are looked at again after so long, ms; and all are sent again, whatever Redis has by now. */
const LOOK_MS = 1000
const AGAIN_MS = 10_000

/** The Info fields of a repeatable worker that have changed with a tick: names and texts. */
export interface TickFields {
  take(): string[]
  /** A heartbeat has written others. */
  reset(): void
}

/** There may be thousands of ticks a second: only what every tick changes is looked at every time. */
export function createTickFields(session: Session, hears: () => string[]): TickFields {
  const { state } = session
  const sent = new Map<string, string>()
  let counted = -1
  let progress: unknown
  let lookedAt = Number.NEGATIVE_INFINITY
  let sentAt = Number.NEGATIVE_INFINITY

  return {
    take() {
      const now = performance.now()
      const { ticks, missed, last_tick } = state.extra
      // each of them only rises
      const count = state.published + state.received + state.errors + state.dropped + state.lost + Number(missed)
      if (count === counted && progress === state.progress && now - lookedAt < LOOK_MS) {
        return ['last_tick', infoText(last_tick), 'ticks', infoText(ticks)]
      }
      counted = count
      progress = state.progress
      lookedAt = now
      if (now - sentAt > AGAIN_MS) {
        sent.clear()
        sentAt = now
      }
      const changed: string[] = []
      const fields = session.fields(hears)
      for (const name in fields) {
        const text = infoText(fields[name])
        if (sent.get(name) === text) continue
        sent.set(name, text)
        changed.push(name, text)
      }
      return changed
    },
    reset() {
      sentAt = lookedAt = Number.NEGATIVE_INFINITY
    },
  }
}
