import { useEffect, useState } from 'preact/hooks'
import type { StoredEvent } from '../../store/types.js'
import { countEvents, wordsOf } from './api.js'
import { apiQuery, type EventFilter, fits } from './event-filter.js'
import type { Fleet } from './fleet.js'
import { useGaps } from './gaps.js'
import { useReturns } from './returns.js'

/** Most bars that are drawn of a range. */
const BARS = 60
/** Counted again so often at most, and ten times in the width of a bar. What comes meanwhile is added here. */
const AGAIN_MS = 5_000
/** What has failed is tried again after, ms. */
const FAILED_MS = 3_000
/** By then an event is in the store, ms. */
const WRITTEN_MS = 2_000

export interface Span {
  /** Unix ms: the begin of the first bar, and the end of all. */
  from: number
  to: number
  bucketMs: number
}
export interface Bar {
  time: number
  count: number
}
interface Counted extends Span {
  /** Question that it answers. */
  of: string
  counts: readonly Bar[]
  /** Unix ms: what came from then on is counted here. */
  end: number
}
/** Events that the stream has brought, by the second. */
interface Told {
  of: string
  ids: ReadonlySet<string>
  seconds: ReadonlyMap<number, number>
}

/**
 * How many events there were, by stretches of time: counted by the API up to lately, and what the stream has brought since.
 * Pages ask for the same times, so that the node counts once for all of them.
 */
export function useCounts(fleet: Fleet, filter: EventFilter, rangeMs: number) {
  const { since, until } = filter
  const query = apiQuery(filter)
  if (!query.has('kind')) query.set('kind', 'alert')
  const of = `${query} ${rangeMs}`
  const [counted, setCounted] = useState<Counted>()
  const [told, setTold] = useState<Told>(nothingOf(of))
  const [error, setError] = useState('')
  const returns = useReturns(fleet.link)
  const gaps = useGaps(fleet.events)
  useEffect(() => {
    // nothing more can come
    if (until !== undefined && counted?.of === of && counted.end > until) return
    const ending = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const again = (ms: number) => {
      timer = setTimeout(look, ms)
    }
    const look = async () => {
      if (document.hidden) return again(AGAIN_MS)
      const now = Date.now()
      const span = spanOf(since, until, rangeMs, now)
      const end = floorTo(now - WRITTEN_MS, AGAIN_MS)
      const isOver = until !== undefined && until < end
      query.set('since', String(since ?? span.from))
      query.set('until', String(isOver ? until : end - 1))
      query.set('bucketMs', String(span.bucketMs))
      try {
        const counts = await countEvents(query.toString(), ending.signal)
        setError('')
        setCounted({ ...span, of, counts, end })
        setTold((was) => ({ ...was, seconds: new Map([...was.seconds].filter(([second]) => second >= end)) }))
        if (!isOver) again(Math.max(AGAIN_MS, span.bucketMs / 10))
      } catch (reason) {
        if (ending.signal.aborted) return
        setError(wordsOf(reason).text)
        again(FAILED_MS)
      }
    }
    look()
    return () => {
      ending.abort()
      clearTimeout(timer)
    }
  }, [of, returns, gaps])
  useEffect(() => {
    const kind = filter.equal.get('kind') ?? 'alert'
    const fitting = fleet.events.filter((event) => event.kind === kind && fits(event, filter))
    setTold((was) => withEvents(was.of === of ? was : nothingOf(of), fitting))
  }, [of, fleet.events])

  if (counted?.of !== of) return { error }
  const to = until === undefined ? Math.max(counted.to, Date.now()) : counted.to
  return { error, counted: { ...counted, to, bars: barsOf({ ...counted, to }, told) } }
}

const nothingOf = (of: string): Told => ({ of, ids: new Set(), seconds: new Map() })

function withEvents(told: Told, events: readonly StoredEvent[]): Told {
  const fresh = events.filter(({ id }) => !told.ids.has(id))
  if (fresh.length === 0) return told
  const seconds = new Map(told.seconds)
  for (const { time } of fresh) {
    const second = floorTo(time, 1000)
    seconds.set(second, (seconds.get(second) ?? 0) + 1)
  }
  return { ...told, ids: new Set(events.map(({ id }) => id)), seconds }
}

/** Bars begin at whole multiples of their width, as the API counts them, and are whole seconds wide. */
function spanOf(since: number | undefined, until: number | undefined, rangeMs: number, now: number): Span {
  const to = Math.max(until ?? now, since ?? 0) + 1
  const bucketMs = Math.max(1, Math.ceil((since === undefined ? rangeMs : to - since) / BARS / 1000)) * 1000
  const from = since === undefined ? Math.floor((to - rangeMs) / bucketMs + 1) * bucketMs : floorTo(since, bucketMs)
  return { from, to, bucketMs }
}

function barsOf({ from, to, bucketMs, counts, end }: Counted, { seconds }: Told): Bar[] {
  const bars = Array.from({ length: Math.ceil((to - from) / bucketMs) }, (_, i) => ({
    ...{ time: from + i * bucketMs, count: 0 },
  }))
  const told = [...seconds].flatMap(([time, count]) => (time >= end ? [{ time, count }] : []))
  for (const { time, count } of [...counts, ...told]) {
    const bar = bars[Math.floor((time - from) / bucketMs)]
    if (bar) bar.count += count
  }
  return bars
}

const floorTo = (ms: number, step: number): number => Math.floor(ms / step) * step
