import { styleText } from 'node:util'
import type { Judged } from './judge.js'
import { COLUMNS, cells, remarks } from './text.js'

/** Each line as soon as it is measured. */
export function told(line: Judged): string {
  const [, what, yardstick, ours, ratio, bar, held] = cells(line)
  const against = [yardstick, ratio && `ratio ${ratio}`, bar && `bar ${bar}`].filter(Boolean).join(', ')
  return `${String(line.row).padStart(2)}  ${what}: ${ours}${against ? ` (${against})` : ''} ${coloured(line, held ?? '')}`
}

/** The whole table, for a terminal. */
export function table(lines: readonly Judged[]): string {
  const rows = lines.map((line) => cells(line).map((cell) => cell.replaceAll('`', '')))
  const widths = COLUMNS.map((column, i) => Math.max(column.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const text = (row: readonly string[]) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')
  const head = bold(text(COLUMNS))
  const body = rows.map((row, i) => `${text(row.slice(0, -1))}  ${coloured(lines[i], row.at(-1) ?? '')}`)
  const below = lines.flatMap((line) => (remarks(line) ? [`row ${line.row}, ${line.what}: ${remarks(line)}`] : []))
  return [head, ...body, ...(below.length ? ['', ...below] : [])].join('\n')
}

const colour = process.env.NO_COLOR === undefined && (process.stdout.isTTY || process.env.FORCE_COLOR !== undefined)
const bold = (text: string): string => (colour ? styleText('bold', text) : text)

function coloured(line: Judged | undefined, text: string): string {
  if (!colour || line?.held === undefined) return text
  return styleText(line.held ? 'green' : 'red', text)
}
