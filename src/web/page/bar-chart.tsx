import { useEffect, useRef, useState } from 'preact/hooks'
import { countEvents, wordsOf } from './api.js'
import { count } from './format.js'
import { Time } from './time.js'

const BARS = 60
const WIDTH = 900
const HEIGHT = 130
const GAP = 2
const AGAIN_MS = 1000

/** How many events there were, by stretches of time; alerts where the filter names no kind. Read again when one came. */
export function BarChart({ filter, rangeMs, fresh }: { filter: string; rangeMs: number; fresh: string }) {
  const bucketMs = rangeMs / BARS
  const of = `${filter} ${rangeMs}`
  const [read, setRead] = useState<{ counts: { time: number; count: number }[]; since: number; of: string }>()
  const [error, setError] = useState('')
  const newest = useRef(fresh)
  newest.current = fresh
  useEffect(() => {
    const end = new AbortController()
    let told: string | undefined
    let at = 0
    const look = () => {
      // however many come: read once a second; and when none comes, as soon as a bar has passed
      if (newest.current === told && Date.now() - at < bucketMs) return
      told = newest.current
      at = Date.now()
      const since = Math.floor((at - rangeMs) / bucketMs + 1) * bucketMs
      const query = new URLSearchParams(filter)
      if (!query.has('kind')) query.set('kind', 'alert')
      query.set('since', String(since))
      query.set('bucketMs', String(bucketMs))
      countEvents(query.toString(), end.signal).then(
        (counts) => {
          if (end.signal.aborted) return
          setError('')
          setRead({ counts, since, of })
        },
        (reason: unknown) => end.signal.aborted || setError(wordsOf(reason).text),
      )
    }
    look()
    const timer = setInterval(look, AGAIN_MS)
    return () => {
      clearInterval(timer)
      end.abort()
    }
  }, [filter, rangeMs, bucketMs, of])
  if (error) return <p class="form-error">{error}</p>
  if (!read || read.of !== of) return <p class="empty">Counting…</p>

  const bars = Array.from({ length: BARS }, (_, i) => ({ time: read.since + i * bucketMs, count: 0 }))
  for (const { time, count } of read.counts) {
    const bar = bars[Math.floor((time - read.since) / bucketMs)]
    if (bar) bar.count += count
  }
  const top = Math.max(1, ...bars.map(({ count }) => count))
  const sum = bars.reduce((all, { count }) => all + count, 0)
  const step = WIDTH / BARS
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
              <title>{`${new Date(time).toLocaleString('en-GB')}: ${n}`}</title>
            </rect>
          )
        })}
      </svg>
      <figcaption>
        <Time ms={read.since} />
        <span>
          {count(sum)} in all; highest bar {count(sum ? top : 0)}
        </span>
        <span>now</span>
      </figcaption>
    </figure>
  )
}
