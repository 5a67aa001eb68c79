import Table from 'cli-table3'
import type { Cli } from './cli.js'
import { clean, painter } from './print.js'

export interface Column<T> {
  head: string
  /** Foreign text is allowed: it is cleaned here. */
  cell(row: T): string | number | null
  /** Colours a cleaned cell. */
  paint?(text: string, row: T): string
  right?: boolean
}

/**
 * Rows under a heading, without lines. On a terminal the last column is cut to what fits; in a pipe nothing is.
 * Columns that are empty in all rows are left out.
 */
export function table<T>(cli: Cli, columns: readonly Column<T>[], rows: readonly T[]): string {
  const cells = rows.map((row) => columns.map((column) => clean(column.cell(row) ?? '')))
  const shown = columns.map((column, i) => ({ column, i })).filter(({ i }) => cells.some((row) => row[i] !== ''))
  const widths = shown.map(({ column, i }) => Math.max(column.head.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const last = shown.length - 1
  const room = (cli.stdout.columns ?? 0) - widths.slice(0, last).reduce((sum, width) => sum + width + 2, 0)
  const limit = cli.stdout.isTTY && cli.stdout.columns ? Math.max(20, room) : Number.POSITIVE_INFINITY
  const paint = painter(cli.stdout, cli.env)
  const drawn = new Table({
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    colAligns: shown.map(({ column }) => (column.right ? 'right' : 'left')),
  })
  drawn.push(shown.map(({ column }) => paint.dim(column.head)))
  rows.forEach((row, r) => {
    drawn.push(
      shown.map(({ column, i }, position) => {
        const text = cells[r]?.[i] ?? ''
        const cut = position === last && text.length > limit ? `${text.slice(0, limit - 1)}…` : text
        return column.paint && paint.isColorSupported ? column.paint(cut, row) : cut
      }),
    )
  })
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
}
