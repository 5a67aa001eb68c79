import type { Judged } from './judge.js'
import type { Bar, Figure, Target } from './types.js'

/** A number with three digits that count, and thousands set apart. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '?'
  const size = Math.abs(value)
  const digits =
    size === 0 || size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : Math.min(6, 2 - Math.floor(Math.log10(size)))
  const text = value.toFixed(digits)
  return size >= 1000 ? Number(text).toLocaleString('en-US') : text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

export const figure = ({ value, unit }: Omit<Figure, 'name'>): string =>
  `${number(value)}${unit.startsWith('/') ? '' : ' '}${unit}`.trim()

export const named = (one: Figure): string => `${one.name} ${figure(one)}`

export function goal(line: Pick<Judged, 'ours'>, bar: Bar | Target): string {
  const sign = bar.at === 'most' ? '≤' : '≥'
  if (bar.of === 'ours') return `${sign} ${figure({ value: bar.value, unit: line.ours.unit })}`
  const of = 'against' in bar && bar.against ? ` ${bar.against.name} (${figure(bar.against)})` : ''
  return `${sign} ${number(bar.value)} ×${of}`
}

export function verdict({ held, reached }: Judged): string {
  const bar = held === undefined ? '' : held ? 'yes' : 'NO'
  if (reached === undefined) return bar
  return `${bar}${bar ? '; ' : ''}target ${reached ? 'too' : 'not'}`
}

/** The cells of a line, in the order of COLUMNS. */
export const COLUMNS = ['row', 'what', 'yardstick', 'ours', 'ratio', 'bar', 'held'] as const

export function cells(line: Judged): string[] {
  const bars = [line.bar && goal(line, line.bar), line.target && `target ${goal(line, line.target)}`]
  return [
    String(line.row),
    line.what,
    line.yardstick ? named(line.yardstick) : '',
    figure(line.ours),
    line.ratio === undefined ? '' : number(line.ratio),
    bars.filter(Boolean).join('; '),
    verdict(line),
  ]
}

/** What is told of a line beside the table. */
export function remarks(line: Judged): string {
  return [line.note, ...(line.beside ?? []).map(named)].filter(Boolean).join('; ')
}
