import type { RawRow } from './process-mapping.js'

/**
 * Which rows may be taken now. A database gives out ids before it makes rows visible, so a row with a lower id can
 * appear after one with a higher id: who only remembers the highest id misses it. So beyond a gap rows are taken only
 * when their id has been seen for `settleMs`; without a gap at once.
 */
export class Settled {
  #seen: { id: number; at: number }[] = []
  #settled = 0

  constructor(private readonly settleMs: number) {}

  /** `rows` by rising id, the first ones after `lastId`; `highest` is the highest id there is. `now` in ms, never set back. */
  take(rows: readonly NumberedRow[], lastId: number, highest: number, now: number): NumberedRow[] {
    this.#notice(highest, now)
    let previous = lastId
    const end = rows.findIndex(({ id }) => {
      const isNext = id === previous + 1 || id <= this.#settled
      previous = id
      return !isNext
    })
    return end === -1 ? [...rows] : rows.slice(0, end)
  }

  #notice(highest: number, now: number): void {
    if (highest > (this.#seen.at(-1)?.id ?? this.#settled)) this.#seen.push({ id: highest, at: now })
    while (this.#seen[0] && now - this.#seen[0].at >= this.settleMs) {
      this.#settled = this.#seen[0].id
      this.#seen.shift()
    }
  }
}

export interface NumberedRow {
  id: number
  row: RawRow
}
