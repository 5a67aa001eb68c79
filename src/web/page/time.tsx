import type { ComponentChildren } from 'preact'
import { clock, moment, utc } from './format.js'

interface TimeProps {
  /** Unix ms. */
  ms: number
  /** Without the date, for what is of this hour. */
  short?: boolean
  /** What to show instead, as "now" or an age. */
  children?: ComponentChildren
}

/** Local time, with that of the whole world on hover. Every time that the page shows is one of these. */
export function Time({ ms, short, children }: TimeProps) {
  const time = new Date(ms)
  // what a worker wrote need not be a time
  if (Number.isNaN(time.getTime())) return <>–</>
  return (
    <time dateTime={time.toISOString()} title={utc(ms)}>
      {children ?? (short ? clock(time) : moment(ms))}
    </time>
  )
}
