import type { Entry } from './log-stream.js'

/** What may wait for one who follows a log; beyond it the oldest lines are dropped. */
const MOST_LINES = 50_000
const MOST_BYTES = 16_000_000

/** Lines that wait for one who follows a log, oldest first. */
export class LineQueue {
  #lines: Entry[] = []
  /** Index of the oldest: to shift a long array takes its whole length. */
  #head = 0
  #bytes = 0

  get length(): number {
    return this.#lines.length - this.#head
  }

  push(lines: readonly Entry[]): void {
    for (const line of lines) {
      this.#lines.push(line)
      this.#bytes += line.size
    }
    while (this.length > MOST_LINES || (this.#bytes > MOST_BYTES && this.length > 1)) this.take()
  }

  /** Puts lines before those that wait. */
  unshift(lines: readonly Entry[]): void {
    const later = this.#lines.slice(this.#head)
    this.#lines = []
    this.#head = 0
    this.#bytes = 0
    this.push([...lines, ...later])
  }

  take(): Entry | undefined {
    const line = this.#lines[this.#head]
    if (!line) return undefined
    this.#bytes -= line.size
    if (++this.#head * 2 > this.#lines.length) {
      this.#lines = this.#lines.slice(this.#head)
      this.#head = 0
    }
    return line
  }
}
