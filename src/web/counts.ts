import { setTimeout as sleep } from 'node:timers/promises'
import { HysasError } from '../errors.js'
import type { EventQuery, EventStore } from '../store/types.js'
import { MOST_BARS } from './schemas.js'

type Query = EventQuery & { bucketMs: number }
type Answer = ReturnType<EventStore['countByTime']>

/** Who asks the same within so long gets the same answer, ms; and how many answers are kept for that. */
const SHARED_MS = 5_000
const KEPT = 20
/** Questions that may wait. */
const MOST_WAITING = 20
/** Counting takes this share of the time at most: SQLite counts within the node, and all else waits for it. */
const SHARE = 1 / 4

/** Counts of events for all pages of a node: each question once for all who ask it, one after the other. */
export class Counts {
  readonly #store: () => Promise<Pick<EventStore, 'countByTime'>>
  readonly #answers = new Map<string, Answer>()
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(store: () => Promise<Pick<EventStore, 'countByTime'>>) {
    this.#store = store
  }

  /** Without `since` it goes back as far as bars may. @throws HysasError RATE_LIMITED, DATABASE */
  of(query: Query): Answer {
    const key = JSON.stringify(Object.entries(query).sort())
    const known = this.#answers.get(key)
    if (known) return known
    if (this.#waiting >= MOST_WAITING) throw new HysasError('RATE_LIMITED', { seconds: 10 })
    this.#waiting++
    let took = 0
    const answer = this.#last.then(async () => {
      const begun = performance.now()
      try {
        return await this.#count(query)
      } finally {
        took = performance.now() - begun
        this.#waiting--
      }
    })
    const rest = () => sleep(took / SHARE - took, undefined, { ref: false })
    this.#last = answer.then(rest, rest)
    this.#answers.set(key, answer)
    const forget = () => this.#answers.get(key) === answer && this.#answers.delete(key)
    answer.then(() => setTimeout(forget, SHARED_MS).unref(), forget)
    if (this.#answers.size > KEPT) this.#answers.delete(this.#answers.keys().next().value as string)
    return answer
  }

  async #count({ since, ...query }: Query): Answer {
    const { until = Date.now(), bucketMs } = query
    const from = since ?? Math.max(0, until - MOST_BARS * bucketMs)
    return (await this.#store()).countByTime({ ...query, since: from })
  }
}
