import { useEffect, useState } from 'preact/hooks'
import { countEvents, wordsOf } from './api.js'
import { count } from './format.js'
import { Time } from './time.js'

const BARS = 60
const WIDTH = 900
const HEIGHT = 130
const GAP = 2

/** How many events there were, by stretches of time; alerts where the filter names no kind. Read again when one came. */
export function BarChart({ filter, rangeMs, fresh }: { filter: string; rangeMs: number; fresh: string }) {
  const [read, setRead] = useState<{ counts: { time: number; count: number }[]; since: number }>()
  const [error, setError] = useState('')
  const bucketMs = rangeMs / BARS
  useEffect(() => {
    const end = new AbortController()
    const since = Math.floor((Date.now() - rangeMs) / bucketMs + 1) * bucketMs
    const query = new URLSearchParams(filter)
    if (!query.has('kind')) query.set('kind', 'alert')
    query.set('since', String(since))
    query.set('bucketMs', String(bucketMs))
    // many at once are read together
    const timer = setTimeout(
      () => {
        countEvents(query.toString(), end.signal).then(
          (counts) => {
            setError('')
            setRead({ counts, since })
          },
          (reason: unknown) => end.signal.aborted || setError(wordsOf(reason).text),
        )
      },
      fresh && read ? 1000 : 0,
    )
    return () => {
      clearTimeout(timer)
      end.abort()
    }
  }, [filter, rangeMs, bucketMs, fresh])
  if (error) return <p class="form-error">{error}</p>
  if (!read) return <p class="empty">Counting…</p>

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
