import type { Bench } from './bench.js'

/** One row of the table of speeds: what is measured, and the lines that it gives. */
export interface Row {
  number: number
  /** What `npm run bench -- NAME` calls it. */
  name: string
  what: string
  /** Yardsticks that are no part of the project, and are installed first. */
  needs?: readonly Tool[]
  measure(bench: Bench): Promise<Line[]>
}

export type Tool = 'nats' | 'redis-benchmark' | 'mariadb' | 'python3-redis'

/** A number with what it is of. `unit` for example `ms`, `MB`, `/s`. */
export interface Figure {
  name: string
  value: number
  unit: string
}

/** A limit on the ratio of ours to the yardstick, or on ours alone. */
export interface Bar {
  at: 'most' | 'least'
  value: number
  of: 'ratio' | 'ours'
}

/** What is tried for beyond the bar; `against`: another figure than the yardstick, to which the ratio is taken. */
export interface Target extends Bar {
  against?: Figure
}

export interface Line {
  what: string
  yardstick?: Figure
  ours: Figure
  /** Without one the line only tells. */
  bar?: Bar
  target?: Target
  /** Other figures of the same run, for comparison. */
  beside?: readonly Figure[]
  /** How the figures came about, where that is not plain. */
  note?: string
}

export const atMost = (value: number, of: Bar['of'] = 'ratio'): Bar => ({ at: 'most', value, of })
export const atLeast = (value: number, of: Bar['of'] = 'ratio'): Bar => ({ at: 'least', value, of })
