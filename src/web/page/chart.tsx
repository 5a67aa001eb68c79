import { GAP_MS, type Span, stretchesOf } from './stretches.js'
import { Time } from './time.js'

const WIDTH = 420
const HEIGHT = 120

export interface Line {
  name: string
  values: readonly number[]
}

interface ChartProps {
  title: string
  /** When each value was. */
  times: readonly Span[]
  lines: readonly Line[]
  show: (value: number) => string
  /** Drawn as what should not be. */
  bad?: boolean
}

/** Lines over time from zero to the greatest value, with the last value as text. */
export function Chart({ title, times, lines, show, bad }: ChartProps) {
  const top = niceTop(Math.max(0, ...lines.flatMap(({ values }) => values)))
  const now = Date.now()
  const [first = 0, newest = 0] = [times[0]?.time, times.at(-1)?.time]
  // what has said nothing for a while has no value now, and its line ends where it ended
  const isOld = now - newest > GAP_MS
  const last = isOld ? now : newest
  const value = (values: readonly number[]) => (values.length && !isOld ? show(values.at(-1) ?? 0) : '–')
  const x = (i: number) => (last === first ? WIDTH : (((times[i]?.time ?? 0) - first) / (last - first)) * WIDTH)
  const y = (value: number) => HEIGHT - (value / top) * (HEIGHT - 4)
  const told = lines.map(({ name, values }) => `${name && `${name} `}${value(values)}`).join(', ')
  return (
    <figure class={bad ? 'chart lossy' : 'chart'}>
      <figcaption>
        <span class="title">{title}</span>
        {lines.map(({ name, values }, i) => (
          <span key={name} class={`line-${i}`}>
            {name && <span class="key" aria-hidden="true" />}
            {name} <strong>{value(values)}</strong>
          </span>
        ))}
      </figcaption>
      <div class="plot">
        <span class="top">{show(top)}</span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${title}: ${told}`}>
          <line x1="0" x2={WIDTH} y1={y(top)} y2={y(top)} class="rule" />
          <line x1="0" x2={WIDTH} y1={y(top / 2)} y2={y(top / 2)} class="rule" />
          <line x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} class="rule" />
          {times.length > 1 &&
            lines.map(({ name, values }, i) =>
              stretchesOf(times).map(([from, to]) => (
                <polyline
                  key={`${name} ${times[from]?.time}`}
                  class={`line-${i}`}
                  points={values
                    .slice(from, to)
                    .map((value, j) => `${x(from + j).toFixed(1)},${y(value).toFixed(1)}`)
                    .join(' ')}
                />
              )),
            )}
        </svg>
      </div>
      <div class="ends">
        {times.length ? <Time ms={first} short /> : <span>no values yet</span>}
        <Time ms={now}>now</Time>
      </div>
    </figure>
  )
}

/** The next of 1, 2, 5, 10, 20, … */
function niceTop(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return power * ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10)
}
