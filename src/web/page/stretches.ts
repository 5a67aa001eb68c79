/** From when on a value stands, Unix ms, and for how long, ms. */
export interface Span {
  time: number
  width: number
}

/** Longer without a value, and the line has a gap: ms, or times that for which the value before it stands. */
export const GAP_MS = 20_000
const GAP_WIDTHS = 3

/** First and behind the last index of what lies together: a line of its own. */
export function stretchesOf(times: readonly Span[]): [from: number, to: number][] {
  const starts = times.flatMap(({ time }, i) => {
    const before = times[i - 1]
    return !before || time - before.time > Math.max(GAP_MS, GAP_WIDTHS * before.width) ? [i] : []
  })
  return starts.map((from, i) => [from, starts[i + 1] ?? times.length])
}
