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

/** Between two columns. */
const GAP = 2

/**
 * Rows under a heading, without lines. On a terminal the last column is cut to what fits; in a pipe nothing is.
 * Columns that are empty in all rows are left out.
 */
export function table<T>(cli: Cli, columns: readonly Column<T>[], rows: readonly T[]): string {
  const cells = rows.map((row) => columns.map((column) => clean(column.cell(row) ?? '')))
  const shown = columns.map((column, i) => ({ column, i })).filter(({ i }) => cells.some((row) => row[i] !== ''))
  const widths = shown.map(({ column, i }) =>
    Math.max(column.head.length, ...cells.map((row) => widthOf(row[i] ?? ''))),
  )
  const last = shown.length - 1
  const room = (cli.stdout.columns ?? 0) - widths.slice(0, last).reduce((sum, width) => sum + width + GAP, 0)
  const limit = cli.stdout.isTTY && cli.stdout.columns ? Math.max(20, room) : Number.POSITIVE_INFINITY
  const paint = painter(cli.stdout, cli.env)
  const line = (textOf: (at: number) => string, painted: (text: string, column: Column<T>) => string) =>
    shown
      .map(({ column, i }, at) => {
        const text = at === last ? cutTo(textOf(i), limit) : textOf(i)
        // painted last: what colours is not counted
        const blank = ' '.repeat(Math.max(0, (widths[at] ?? 0) - widthOf(text)))
        const filled = column.right ? [blank, painted(text, column)] : [painted(text, column), at === last ? '' : blank]
        return filled.join('')
      })
      .join(' '.repeat(GAP))
      .trimEnd()
  return [
    line(
      (i) => columns[i]?.head ?? '',
      (text) => paint.dim(text),
    ),
    ...rows.map((row, r) =>
      line(
        (i) => cells[r]?.[i] ?? '',
        (text, column) => (column.paint && paint.isColorSupported ? column.paint(text, row) : text),
      ),
    ),
  ].join('\n')
}

function cutTo(text: string, limit: number): string {
  if (widthOf(text) <= limit) return text
  let kept = ''
  let width = 1 // of the sign that something is missing
  for (const char of text) {
    width += widthOf(char)
    if (width > limit) break
    kept += char
  }
  return `${kept}…`
}

/** Columns of a terminal that a cleaned text takes: two for a Chinese character or an emoji, none for a mark on another. */
function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length
  let width = 0
  for (const char of text) width += MARK.test(char) ? 0 : WIDE.test(char) ? 2 : 1
  return width
}

const ASCII = /^[\x20-\x7e]*$/
const MARK = /^[\p{Mn}\p{Me}\p{Cf}]$/u
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u
