/** What a chart shows of a worker, as columns of equal length, oldest first. Times are ms of this page's clock. */
export interface Series {
  time: number[]
  in: number[]
  out: number[]
  memory: number[]
  delay: number[]
}
type Sample = { [Key in keyof Series]: number }

/** Above it two neighbours become one, so that the whole time since the page was opened stays, ever coarser. */
const MOST = 400
const KEYS = ['time', 'in', 'out', 'memory', 'delay'] as const
const EMPTY: Series = { time: [], in: [], out: [], memory: [], delay: [] }

/** How workers went since the page was opened. */
const all = new Map<string, { points: Series; everyMs: number }>()

export const seriesOf = (nickname: string): Series => all.get(nickname)?.points ?? EMPTY

export function addSample(nickname: string, sample: Sample): void {
  let kept = all.get(nickname)
  if (!kept) {
    kept = { points: { time: [], in: [], out: [], memory: [], delay: [] }, everyMs: 900 }
    all.set(nickname, kept)
  }
  const { points } = kept
  if (sample.time - (points.time.at(-1) ?? 0) < kept.everyMs) return
  for (const key of KEYS) points[key].push(sample[key])
  if (points.time.length < MOST) return
  kept.everyMs *= 2
  for (const key of KEYS) points[key] = points[key].filter((_, i) => i % 2 === 1)
}

export const forget = (nickname: string): boolean => all.delete(nickname)
