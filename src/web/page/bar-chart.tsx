import { useEffect, useRef, useState } from 'preact/hooks'
import { countEvents, wordsOf } from './api.js'
import { apiQuery, type EventFilter } from './event-filter.js'
import { both, count } from './format.js'
import { Time } from './time.js'

const BARS = 60
const WIDTH = 900
const HEIGHT = 130
const GAP = 2
const AGAIN_MS = 1000
/** What has failed is tried again after, ms. */
const FAILED_MS = 3000

interface BarProps {
  filter: EventFilter
  /** How far back from its end it goes where the filter does not say. */
  rangeMs: number
  /** Id of the newest event that is known. */
  fresh: string
}

/** How many events there were, by stretches of time; alerts where the filter names no kind. Read again when one came. */
export function BarChart({ filter, rangeMs, fresh }: BarProps) {
  const { since, until } = filter
  const query = apiQuery(filter).toString()
  const of = `${query} ${rangeMs}`
  const [read, setRead] = useState<Read>()
  const [error, setError] = useState('')
  const newest = useRef(fresh)
  newest.current = fresh
  useEffect(() => {
    const end = new AbortController()
    let told: string | undefined
    let at = 0
    let bucketMs = 0
    const look = () => {
      // however many come: read once a second; and when none comes, as soon as a bar has passed
      if (newest.current === told && Date.now() - at < bucketMs) return
      told = newest.current
      at = Date.now()
      const span = spanOf(since, until, rangeMs, at)
      bucketMs = span.bucketMs
      const asked = new URLSearchParams(query)
      if (!asked.has('kind')) asked.set('kind', 'alert')
      asked.set('since', String(since ?? span.from))
      asked.set('bucketMs', String(bucketMs))
      countEvents(asked.toString(), end.signal).then(
        (counts) => {
          if (end.signal.aborted) return
          setError('')
          setRead({ ...span, counts, of })
        },
        (reason: unknown) => {
          if (end.signal.aborted) return
          setError(wordsOf(reason).text)
          at = Date.now() - bucketMs + FAILED_MS
        },
      )
    }
    look()
    const timer = setInterval(look, AGAIN_MS)
    return () => {
      clearInterval(timer)
      end.abort()
    }
  }, [query, since, until, rangeMs, of])
  if (error) return <p class="form-error">{error}</p>
  if (!read || read.of !== of) return <p class="empty">Counting…</p>

  const { from, to, bucketMs } = read
  const bars = Array.from({ length: Math.ceil((to - from) / bucketMs) }, (_, i) => ({
    ...{ time: from + i * bucketMs, count: 0 },
  }))
  for (const { time, count } of read.counts) {
    const bar = bars[Math.floor((time - from) / bucketMs)]
    if (bar) bar.count += count
  }
  const top = Math.max(1, ...bars.map(({ count }) => count))
  const sum = bars.reduce((all, { count }) => all + count, 0)
  const step = WIDTH / bars.length
  return (
    <figure class="bars">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${count(sum)} in all, at most ${count(top)} at once`}
      >
        {bars.map(({ time, count: n }, i) => {
          const height = n === 0 ? 1 : Math.max(3, (n / top) * HEIGHT)
          return (
            <rect
              key={time}
              x={i * step + GAP / 2}
              y={HEIGHT - height}
              width={step - GAP}
              height={height}
              class={n ? 'some' : ''}
            >
              <title>{`${n} from ${both(time)}`}</title>
            </rect>
          )
        })}
      </svg>
      <figcaption>
        <Time ms={from} />
        <span>
          {count(sum)} in all; highest bar {count(sum ? top : 0)}
        </span>
        {until === undefined ? <Time ms={to}>now</Time> : <Time ms={until} />}
      </figcaption>
    </figure>
  )
}

interface Span {
  /** Unix ms: the begin of the first bar, and the end of all. */
  from: number
  to: number
  bucketMs: number
}
interface Read extends Span {
  counts: { time: number; count: number }[]
  of: string
}

/** Bars begin at whole multiples of their width, as the API counts them. */
function spanOf(since: number | undefined, until: number | undefined, rangeMs: number, now: number): Span {
  const to = Math.max(until ?? now, since ?? 0) + 1
  const bucketMs = Math.max(1000, Math.ceil((since === undefined ? rangeMs : to - since) / BARS))
  const from = since === undefined ? Math.floor((to - rangeMs) / bucketMs + 1) * bucketMs : floorTo(since, bucketMs)
  return { from, to, bucketMs }
}

const floorTo = (ms: number, step: number): number => Math.floor(ms / step) * step
