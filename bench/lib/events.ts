/** Columns of the table of events (src/store/schema.ts), and a row as a worker's event would make it. */
export const COLUMNS = [
  'time',
  'seq',
  'kind',
  'severity',
  'type',
  'nickname',
  'node',
  'epoch',
  'source',
  'message',
  'data',
  'dedupe_key',
  'dedupe_hash',
] as const

export type EventRow = (string | number | bigint | null)[]

const AT = 1_600_000_000_000
const EPOCH = 1_600_000_000_000

/** The `n`th of a series: some in each millisecond, as they come. */
export function eventRow(n: number): EventRow {
  return [
    BigInt(AT + Math.floor(n / 40)),
    BigInt(n % 40),
    'alert',
    'info',
    'Recorder',
    `w${n % 2}`,
    'bench-1',
    BigInt(EPOCH),
    '203.0.113.7',
    'a failed login for root',
    JSON.stringify({ left: n }),
    '',
    null,
  ]
}
