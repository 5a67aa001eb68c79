import { Time } from './time.js'

const WIDTH = 420
const HEIGHT = 120

export interface Line {
  name: string
  values: readonly number[]
}

interface ChartProps {
  title: string
  time: readonly number[]
  lines: readonly Line[]
  show: (value: number) => string
  /** Drawn as what should not be. */
  bad?: boolean
}

/** Longer without a value, and the line has a gap, ms. */
const GAP_MS = 20_000

/** Lines over time from zero to the greatest value, with the last value as text. */
export function Chart({ title, time, lines, show, bad }: ChartProps) {
  const top = niceTop(Math.max(0, ...lines.flatMap(({ values }) => values)))
  const now = Date.now()
  const [first = 0, newest = 0] = [time[0], time.at(-1)]
  // what has said nothing for a while has no value now, and its line ends where it ended
  const isOld = now - newest > GAP_MS
  const last = isOld ? now : newest
  const value = (values: readonly number[]) => (values.length && !isOld ? show(values.at(-1) ?? 0) : '–')
  const x = (i: number) => (last === first ? WIDTH : (((time[i] ?? 0) - first) / (last - first)) * WIDTH)
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
          {time.length > 1 &&
            lines.map(({ name, values }, i) =>
              stretchesOf(time).map(([from, to]) => (
                <polyline
                  key={`${name} ${time[from]}`}
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
        {time.length ? <Time ms={first} short /> : <span>no values yet</span>}
        <Time ms={now}>now</Time>
      </div>
    </figure>
  )
}

/** First and behind the last index of what lies together. */
function stretchesOf(time: readonly number[]): [from: number, to: number][] {
  const starts = time.flatMap((at, i) => (i === 0 || at - (time[i - 1] ?? at) > GAP_MS ? [i] : []))
  return starts.map((from, i) => [from, starts[i + 1] ?? time.length])
}

/** The next of 1, 2, 5, 10, 20, … */
function niceTop(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return power * ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10)
}
