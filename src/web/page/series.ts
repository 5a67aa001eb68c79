import { useEffect, useRef, useState } from 'preact/hooks'
import type { HistoryView } from '../history.js'
import { readHistory } from './api.js'
import type { Link, PageWorker } from './fleet.js'
import type { Span } from './stretches.js'

/** What charts show of a worker for a while, by this page's clock. */
export interface Point extends Span {
  in: number
  out: number
  lost: number
  memory: number
  delay: number
}

/** Above it neighbours become one, so that the whole time since the page was opened stays, ever coarser. */
const MOST = 500
/** The newest stay as they are. */
const FINE = 10
const EVERY_MS = 1000
/** How often the node looks; where one of ours is nearer to one of its points, it says the same. */
const NODE_EVERY_MS = 5000
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
  ...{ time: Date.now(), width: EVERY_MS, in: rate_in, out: rate_out, lost: rate_lost },
  ...{ memory: memory_mb ?? 0, delay: loop_delay_ms ?? 0 },
})

export function withPoint(points: readonly Point[], point: Point): Point[] {
  const all = [...points, point]
  while (all.length > MOST) mergeShortest(all)
  return all
}

/** Of two neighbours that together stand for the shortest time makes one, so that all become equally coarse. */
function mergeShortest(points: Point[]): void {
  let at = 0
  let shortest = Number.POSITIVE_INFINITY
  for (const [i, point] of points.slice(0, -FINE - 1).entries()) {
    const length = endOf(points[i + 1] ?? point) - point.time
    if (length >= shortest) continue
    at = i
    shortest = length
  }
  const [a, b] = [points[at], points[at + 1]]
  if (a && b) points.splice(at, 2, merged(a, b))
}

/** Rates are means; of what may be a matter of one second, the worst remains. */
function merged(a: Point, b: Point): Point {
  const mean = (x: number, y: number) => (x * a.width + y * b.width) / (a.width + b.width)
  return {
    ...{ time: a.time, width: endOf(b) - a.time, in: mean(a.in, b.in), out: mean(a.out, b.out) },
    lost: Math.max(a.lost, b.lost),
    memory: Math.max(a.memory, b.memory),
    delay: Math.max(a.delay, b.delay),
  }
}

const endOf = ({ time, width }: Point): number => time + width

/** Points of the node's history, where this page has none of its own. */
export function withHistory(points: readonly Point[], history: HistoryView, nowMs = Date.now()): Point[] {
  const shift = nowMs - history.now // its clock may differ from ours
  // a node with very many workers looks more rarely
  const width = Math.max(NODE_EVERY_MS, (history.now - (history.time[0] ?? 0)) / history.time.length)
  const kept = history.time.flatMap((at, i): Point[] => {
    const time = at + shift
    const [into, out] = [history.in[i] ?? null, history.out[i] ?? null]
    if (into === null || out === null || points.some((own) => isNear(own, time))) return []
    const [lost, memory, delay] = [history.lost[i] ?? 0, history.memory[i] ?? 0, history.delay[i] ?? 0]
    return [{ time, width, in: into, out, lost, memory, delay }]
  })
  return [...kept, ...points].sort((a, b) => a.time - b.time)
}

const isNear = (own: Point, time: number): boolean =>
  time > own.time - NEAR_MS && time < endOf(own) + NEAR_MS - EVERY_MS
