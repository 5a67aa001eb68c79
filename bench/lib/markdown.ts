import { readFileSync, writeFileSync } from 'node:fs'
import type { Judged } from './judge.js'
import { type Machine, machineText } from './machine.js'
import { COLUMNS, cells, figure, number, remarks } from './text.js'

export interface Results {
  /** ISO, UTC. */
  at: string
  machine: Machine
  lines: Judged[]
}

/**
 * Writes the results between `<!-- bench -->` and `<!-- /bench -->` of a Markdown file: the whole table; or the short
 * one, between `<!-- bench:short -->` and `<!-- /bench:short -->`. Either may be there. Rows that were not measured
 * this time are not kept.
 * @throws Error where the file has neither
 */
export function writeMarkdown(path: string, results: Results): void {
  const before = readFileSync(path, 'utf8')
  const long = between(before, 'bench', () => `${head(results)}\n\n${whole(results.lines)}`)
  const short = between(long ?? before, 'bench:short', () => `${head(results)}\n\n${brief(results.lines)}`)
  const text = short ?? long
  if (text === undefined) throw new Error(`${path} has no <!-- bench --> … <!-- /bench -->`)
  writeFileSync(path, text)
}

function between(text: string, mark: string, content: () => string): string | undefined {
  const [open, close] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`]
  const from = text.indexOf(open)
  const to = text.indexOf(close)
  if (from < 0 || to < from) return undefined
  return `${text.slice(0, from + open.length)}\n${content()}\n${text.slice(to)}`
}

function head({ at, machine, lines }: Results): string {
  const judged = lines.filter(({ held }) => held !== undefined)
  const kept = judged.filter(({ held }) => held).length
  return `\`npm run bench\`, ${at.slice(0, 10)}, on ${machineText(machine)}: ${kept} of ${judged.length} bars held.`
}

function whole(lines: readonly Judged[]): string {
  const notes = lines.flatMap((line) => (remarks(line) ? [`- Row ${line.row}, ${line.what}: ${remarks(line)}.`] : []))
  return [markdown(COLUMNS, lines.map(cells)), ...(notes.length ? [notes.join('\n')] : [])].join('\n\n')
}

/** Rows of the short table. */
const BRIEF = [1, 2, 6, 8, 9, 11, 12, 16]

function brief(lines: readonly Judged[]): string {
  const some = lines.filter(({ row, yardstick }) => BRIEF.includes(row) && yardstick)
  const rows = some.map((line) => [
    line.what,
    figure(line.ours),
    line.yardstick ? `${figure(line.yardstick)} (${line.yardstick.name})` : '',
    line.ratio === undefined ? '' : `${number(line.ratio)} ×`,
  ])
  return markdown(['what', 'HySAS', 'yardstick', 'ratio'], rows)
}

function markdown(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')
}
