// Sets up and runs the tests: `node scripts/test.mjs [--quick] [what vitest takes]`.
// `--quick` leaves out what needs MariaDB or Chromium, and installs neither; and the faults, which take their time.
import './node-version.cjs'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT, setup } from './lib/setup.mjs'
import { say } from './lib/terminal.mjs'

const given = process.argv.slice(2)
const quick = given.includes('--quick')
const rest = given.filter((word) => word !== '--quick')

const NOT_QUICK = ['**/*.mysql.test.ts', 'test/browser/**', 'test/faults/**']
/** Faults that would take this run past its five minutes: `npm test -- test/faults` injects them in short, test:faults in full. */
const LONG = ['children', 'shared', 'messages', 'nodes', 'ends', 'clock', 'database.mysql', 'redis-*'].map(
  (name) => `test/faults/${name}.test.ts`,
)
const leftOut = quick ? NOT_QUICK : rest.length ? [] : LONG

if (await setup({ test: !quick, redis: true })) process.exitCode = await runTests()
else process.exitCode = 1

async function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'hysas-counts-'))
  const file = join(folder, 'counts.json')
  const args = [
    join(ROOT, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    `--reporter=${join(ROOT, 'scripts/lib/count-reporter.mjs')}`,
    ...leftOut.flatMap((one) => ['--exclude', one]),
    ...rest,
  ]
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, HYSAS_TEST_COUNTS: file },
  })
  // Ctrl-C reaches vitest as well, which ends its servers; we wait for it.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && child.kill(signal))
  const code = await new Promise((resolve) => child.once('close', (status) => resolve(status ?? 1)))
  report(file, code)
  rmSync(folder, { recursive: true })
  return code
}

/** One line for machines. A run that failed otherwise, for example by a process left behind, counts as one failure. */
function report(file, code) {
  let counts = { passed: 0, failed: 0, skipped: 0 }
  try {
    counts = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    // vitest did not come to its end
  }
  if (counts.skipped) say(`${counts.skipped} skipped`)
  console.log(`${counts.passed} passed, ${counts.failed || (code === 0 ? 0 : 1)} failed`)
}
