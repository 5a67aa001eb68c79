import { randomBytes } from 'node:crypto'

/** Lines of one worker that wait, oldest first. */
export interface Waiting {
  nickname: string
  /** Number of the first of them; each further one has the next. */
  first: number
  texts: string[]
}

/** So many workers are counted before the counting begins anew, under another name. */
const MOST_COUNTED = 20_000

/** Lines that wait, by nickname. Each has a number, so that those that were dropped are missing from the row. */
export class Backlog {
  bytes = 0
  /** Whose numbers they are. */
  keeper = newKeeper()
  #lines = new Map<string, Waiting & { bytes: number }>()
  /** Lines of each worker so far. */
  #counts = new Map<string, number>()

  add(nickname: string, text: string): void {
    const count = this.#counts.get(nickname) ?? 0
    this.#counts.set(nickname, count + 1)
    let of = this.#lines.get(nickname)
    if (!of) {
      of = { nickname, first: count, texts: [], bytes: 0 }
      this.#lines.set(nickname, of)
    }
    of.texts.push(text)
    of.bytes += text.length
    this.bytes += text.length
  }

  /** Drops the oldest lines of a worker that has twice as many as can be kept. */
  keepLast(nickname: string, count: number): void {
    const texts = this.#lines.get(nickname)?.texts ?? []
    if (texts.length >= 2 * count) this.#drop(nickname, texts.length - count)
  }

  halveLargest(): void {
    const [largest] = [...this.#lines].sort(([, a], [, b]) => b.bytes - a.bytes)
    if (largest) this.#drop(largest[0], Math.ceil(largest[1].texts.length / 2))
  }

  /** All that waits, by worker. */
  take(): Waiting[] {
    const lines = this.#lines
    this.#lines = new Map()
    this.bytes = 0
    if (this.#counts.size > MOST_COUNTED) {
      this.#counts = new Map()
      this.keeper = newKeeper()
    }
    return [...lines.values()]
  }

  #drop(nickname: string, count: number): void {
    const of = this.#lines.get(nickname)
    if (!of) return
    const bytes = of.texts.splice(0, count).reduce((sum, text) => sum + text.length, 0)
    of.first += count
    of.bytes -= bytes
    this.bytes -= bytes
  }
}

const newKeeper = (): string => randomBytes(4).toString('hex')
