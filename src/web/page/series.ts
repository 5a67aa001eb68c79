import { useEffect, useRef, useState } from 'preact/hooks'
import type { HistoryView } from '../history.js'
import { readHistory } from './api.js'
import type { Link, PageWorker } from './fleet.js'

/** What charts show of a worker at one time, Unix ms of this page's clock. */
export interface Point {
  time: number
  in: number
  out: number
  lost: number
  memory: number
  delay: number
}

/** Above it neighbours become one, so that the whole time since the page was opened stays, ever coarser. */
const MOST = 500
const EVERY_MS = 1000
/** The node looks every five seconds: nearer to one of its points, ours says the same. */
const NEAR_MS = 4000

/** How a worker went: what the node has kept, asked for at once, and then what the stream brings. */
export function useSeries(worker: PageWorker | undefined, link: Link): readonly Point[] {
  const [points, setPoints] = useState<readonly Point[]>([])
  const latest = useRef(worker)
  latest.current = worker
  const nickname = worker?.nickname ?? ''
  useEffect(() => {
    if (!nickname || link !== 'live') return
    const end = new AbortController()
    // without it the charts begin now
    readHistory(nickname, end.signal).then(
      (history) => setPoints((live) => withHistory(live, history)),
      () => {},
    )
    const timer = setInterval(() => {
      const now = latest.current
      if (now?.status === 'started') setPoints((all) => withPoint(all, pointOf(now)))
    }, EVERY_MS)
    return () => {
      end.abort()
      clearInterval(timer)
    }
  }, [nickname, link])
  return points
}

const pointOf = ({ rate_in, rate_out, rate_lost, memory_mb, loop_delay_ms }: PageWorker): Point => ({
  ...{ time: Date.now(), in: rate_in, out: rate_out, lost: rate_lost },
  ...{ memory: memory_mb ?? 0, delay: loop_delay_ms ?? 0 },
})

export function withPoint(points: readonly Point[], point: Point): Point[] {
  const all = [...points, point]
  if (all.length <= MOST) return all
  // the older half, thinned
  return all.filter((_, i) => i > MOST / 2 || i % 2 === 1)
}

/** Points of the node's history, where this page has none of its own. */
export function withHistory(points: readonly Point[], history: HistoryView, nowMs = Date.now()): Point[] {
  const shift = nowMs - history.now // its clock may differ from ours
  const kept = history.time.flatMap((at, i): Point[] => {
    const time = at + shift
    const [into, out] = [history.in[i] ?? null, history.out[i] ?? null]
    if (into === null || out === null || points.some((own) => Math.abs(own.time - time) < NEAR_MS)) return []
    const [lost, memory, delay] = [history.lost[i] ?? 0, history.memory[i] ?? 0, history.delay[i] ?? 0]
    return [{ time, in: into, out, lost, memory, delay }]
  })
  return [...kept, ...points].sort((a, b) => a.time - b.time)
}
