// Injects every fault in full and prints the table:
// `npm run test:faults -- [--rows 1,2,3] [--repeat N] [--jobs N] [--markdown FILE] [what vitest takes]`.
// `--jobs 2` injects the faults of two files at a time: quicker, and harder on the figures.
// Exit 1 where a row is not held, or a test failed.
import './node-version.cjs'
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readMeasurements, summarize, writeMarkdown } from './lib/fault-table.mjs'
import { ROOT, setup } from './lib/setup.mjs'
import { bold, green, red } from './lib/terminal.mjs'

const FILE = join(ROOT, 'test-results/faults.jsonl')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string' },
    repeat: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    markdown: { type: 'string' },
  },
})
const rounds = Number(values.repeat)
const jobs = Number(values.jobs)
if (!/^\d+(,\d+)*$/.test(values.rows ?? '1') || !(rounds >= 1) || !(jobs >= 1)) {
  console.error('usage: npm run test:faults -- [--rows 1,2,3] [--repeat N] [--jobs N] [--markdown FILE] [test files]')
  process.exitCode = 2
} else if (await setup({ test: true, redis: true })) process.exitCode = await injectAll()
else process.exitCode = 1

async function injectAll() {
  rmSync(FILE, { force: true })
  const began = Date.now()
  let failed = 0
  for (let round = 1; round <= rounds; round++) {
    if (rounds > 1) console.log(bold(`\nround ${round} of ${rounds}`))
    if ((await inject()) !== 0) failed++
  }
  const lines = summarize(readMeasurements(FILE))
  print(lines)
  const missed = lines.filter(({ held }) => !held).length
  const minutes = ((Date.now() - began) / 60_000).toFixed(0)
  console.log(
    `${lines.length} figures, ${missed} not held; ${rounds} rounds, ${failed} with failed tests; ${minutes} minutes`,
  )
  if (values.markdown) writeMarkdown(values.markdown, lines, ['npm run test:faults', ...given()].join(' '))
  return failed === 0 && missed === 0 && lines.length > 0 ? 0 : 1
}

function given() {
  const words = Object.entries(values).flatMap(([name, value]) =>
    name === 'markdown' || value === '1' ? [] : [`--${name} ${value}`],
  )
  return words.length || positionals.length ? ['--', ...words, ...positionals] : []
}

async function inject() {
  // one file at a time, unless it is asked for: the figures are those of one fault, not of two at once
  const args = ['run', `--maxWorkers=${jobs}`, ...(positionals.length ? positionals : ['test/faults'])]
  if (values.rows) args.push('-t', `rows? (\\d+ and )?(${values.rows.replaceAll(',', '|')})\\b`)
  const child = spawn(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, HYSAS_TEST_FAULTS: 'full' },
  })
  // Ctrl-C reaches vitest as well, which ends its servers; we wait for it.
  const pass = () => child.kill('SIGTERM')
  const ignore = () => {}
  process.on('SIGTERM', pass).on('SIGINT', ignore)
  const code = await new Promise((resolve) => child.once('close', (status) => resolve(status ?? 1)))
  process.off('SIGTERM', pass).off('SIGINT', ignore)
  return code
}

function print(lines) {
  const cells = lines.map(({ row, fault, figure, value }) => [row, fault, figure, value].map(String))
  const table = [['row', 'fault', 'figure', 'measured'], ...cells]
  const widths = [0, 1, 2, 3].map((i) => Math.max(...table.map((line) => line[i].length)))
  const text = (line) => line.map((cell, i) => cell.padEnd(widths[i])).join('  ')
  console.log(`\n${bold(`${text(table[0])}  held`)}`)
  for (const [i, line] of cells.entries()) console.log(`${text(line)}  ${lines[i].held ? green('yes') : red('NO')}`)
}
