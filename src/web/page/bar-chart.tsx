import { useCounts } from './counts.js'
import type { EventFilter } from './event-filter.js'
import type { Fleet } from './fleet.js'
import { both, count } from './format.js'
import { Time } from './time.js'

const WIDTH = 900
const HEIGHT = 130
const GAP = 2

interface BarProps {
  fleet: Fleet
  filter: EventFilter
  /** How far back from its end it goes where the filter does not say. */
  rangeMs: number
}

/** How many events there were, by stretches of time; alerts where the filter names no kind. */
export function BarChart({ fleet, filter, rangeMs }: BarProps) {
  const { counted, error } = useCounts(fleet, filter, rangeMs)
  const failed = error && <p class="form-error">{error}</p>
  if (!counted) return failed || <p class="empty">Counting…</p>
  const { from, to, bars } = counted
  const top = Math.max(1, ...bars.map(({ count }) => count))
  const sum = bars.reduce((all, { count }) => all + count, 0)
  const step = WIDTH / bars.length
  return (
    <figure class="bars">
      {failed}
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
        {filter.until === undefined ? <Time ms={to}>now</Time> : <Time ms={filter.until} />}
      </figcaption>
    </figure>
  )
}
