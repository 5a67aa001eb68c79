import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, '../../test-results')

/** Notes what a fault test measured, for the table of `npm run test:faults`. */
export function measured(row: number, fault: string, figure: string, value: string, held: boolean): void {
  mkdirSync(FOLDER, { recursive: true })
  appendFileSync(join(FOLDER, 'faults.jsonl'), `${JSON.stringify({ row, fault, figure, value, held })}\n`)
}
