// Injects every fault in full and prints the table: `npm run test:faults [what vitest takes]`. Exit 1 where a row is
// not held, or a test failed.
import './node-version.cjs'
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, setup } from './lib/setup.mjs'
import { bold, green, red } from './lib/terminal.mjs'

const FILE = join(ROOT, 'test-results/faults.jsonl')

if (await setup({ test: true, redis: true })) process.exitCode = await inject(process.argv.slice(2))
else process.exitCode = 1

async function inject(rest) {
  rmSync(FILE, { force: true })
  // one file at a time: the figures are those of one fault, not of two at once
  const args = ['run', '--no-file-parallelism', ...(rest.length ? rest : ['test/faults'])]
  const child = spawn(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, HYSAS_TEST_FAULTS: 'full' },
  })
  // Ctrl-C reaches vitest as well, which ends its servers; we wait for it.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && child.kill(signal))
  const code = await new Promise((resolve) => child.once('close', (status) => resolve(status ?? 1)))
  const rows = measurements()
  print(rows)
  const missed = rows.filter(({ held }) => !held)
  console.log(`${rows.length} measured, ${missed.length} not held${code === 0 ? '' : '; some tests failed'}`)
  return code === 0 && missed.length === 0 && rows.length > 0 ? 0 : 1
}

function measurements() {
  try {
    const lines = readFileSync(FILE, 'utf8').trim().split('\n')
    return lines.map((line) => JSON.parse(line)).sort((a, b) => a.row - b.row)
  } catch {
    return [] // no test came so far
  }
}

function print(rows) {
  const cells = rows.map(({ row, fault, figure, value }) => [row, fault, figure, value].map(String))
  const table = [['row', 'fault', 'figure', 'measured'], ...cells]
  const widths = [0, 1, 2, 3].map((i) => Math.max(...table.map((line) => line[i].length)))
  const text = (line) => line.map((cell, i) => cell.padEnd(widths[i])).join('  ')
  console.log(`\n${bold(`${text(table[0])}  held`)}`)
  for (const [i, line] of cells.entries()) console.log(`${text(line)}  ${rows[i].held ? green('yes') : red('NO')}`)
}
