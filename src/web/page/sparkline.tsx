const WIDTH = 120
const HEIGHT = 28
/** Fewer values than this leave room at the left. */
const FEWEST = 20

/** A line of the last values, newest at the right, from zero to the greatest. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  const points = Math.max(FEWEST, values.length)
  const top = Math.max(1, ...values)
  const x = (i: number) => WIDTH - ((values.length - 1 - i) * WIDTH) / (points - 1)
  const y = (value: number) => HEIGHT - 2 - (value / top) * (HEIGHT - 4)
  const line = values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
  const area = values.length ? `${x(0).toFixed(1)},${HEIGHT} ${line} ${WIDTH},${HEIGHT}` : ''
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <polygon points={area} />
      <polyline points={line} />
    </svg>
  )
}
