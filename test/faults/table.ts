import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe } from 'vitest'

/** `npm run test:faults`: every test in its full length, alone on the machine. */
export const FULL = process.env.HYSAS_TEST_FAULTS === 'full'

/** Tests that mostly wait do so side by side in a normal run; for the figures, one after the other. */
export function together(name: string, tests: () => void): void {
  if (FULL) describe(name, tests)
  else describe.concurrent(name, tests)
}

const FILE = join(import.meta.dirname, '../../test-results/faults.jsonl')

/**
 * Keeps what a test has measured, for the table of `npm run test:faults`. A row of FAULTS.md may be measured several
 * times; it holds where every one does.
 */
export function measured(row: number, fault: string, figure: string, value: string | number, held: boolean): void {
  mkdirSync(dirname(FILE), { recursive: true })
  appendFileSync(FILE, `${JSON.stringify({ row, fault, figure, value, held })}\n`)
}

/** The same for a time: it must be at most `mostMs` for the row to hold. */
export function measuredMs(row: number, fault: string, mostMs: number, ms: number): void {
  measured(row, fault, `≤ ${mostMs} ms`, `${Math.round(ms)} ms`, ms <= mostMs)
}

/** What a normal test, on a machine that does other things as well, asserts instead of the figure. */
export const atLeisure = (mostMs: number): number => (FULL ? 2 : 6) * mostMs + 2000
