import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rows } from '../rows/index.js'
import { createBench, ROOT } from './bench.js'
import { type Judged, judge } from './judge.js'
import { machine, machineText } from './machine.js'
import { type Results, writeMarkdown } from './markdown.js'
import { createProgress } from './progress.js'
import { table, told } from './table.js'
import type { Row } from './types.js'

export interface Asked {
  /** Names or numbers; none means all. */
  names: readonly string[]
  quick: boolean
  /** Files to write the table into. */
  markdown: readonly string[]
}

export const list = (): string =>
  rows.map(({ number, name, what }) => `${String(number).padStart(2)}  ${name.padEnd(16)} ${what}`).join('\n')

/** The rows that are asked for, in their order; or the names that are none's. */
export function choose(names: readonly string[]): { chosen: readonly Row[]; unknown: string[] } {
  const is = (row: Row, name: string) => row.name === name || String(row.number) === name
  const unknown = names.filter((name) => !rows.some((row) => is(row, name)))
  return { chosen: names.length ? rows.filter((row) => names.some((name) => is(row, name))) : rows, unknown }
}

/** Measures and prints. Returns whether every bar is kept. */
export async function run(chosen: readonly Row[], { quick, markdown }: Asked): Promise<boolean> {
  const here = machine()
  const progress = createProgress()
  const lines: Judged[] = []
  const failures: string[] = []
  console.log(`${machineText(here)}${quick ? '; quick: these figures are not exact' : ''}`)
  for (const row of chosen) {
    const label = `${row.number} ${row.name}`
    const bench = createBench({ quick, progress: (text) => progress.show(`${label}: ${text}`) })
    progress.show(label)
    try {
      for (const line of await row.measure(bench)) lines.push(judge(row, line))
    } catch (error) {
      failures.push(`${label}: ${error instanceof Error ? error.stack : String(error)}`)
    } finally {
      progress.show(`${label}: ending`)
      await bench.end()
      progress.clear()
    }
    for (const line of lines) if (line.row === row.number) console.log(told(line))
    for (const failure of failures) if (failure.startsWith(label)) console.error(`could not be measured: ${failure}`)
  }
  console.log(`\n${table(lines)}`)
  keep({ at: new Date().toISOString(), machine: here, lines }, markdown)
  const missed = lines.filter(({ held }) => held === false)
  const judged = lines.filter(({ held }) => held !== undefined)
  const notMeasured = failures.length ? `, ${failures.length} rows could not be measured` : ''
  console.log(`\n${judged.length - missed.length} of ${judged.length} bars held${notMeasured}`)
  return missed.length === 0 && failures.length === 0
}

function keep(results: Results, markdown: readonly string[]): void {
  const folder = join(ROOT, 'bench/results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'latest.json'), `${JSON.stringify(results, null, 2)}\n`)
  for (const path of markdown) writeMarkdown(path, results)
}
