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

/** The `n`th of a series as a program would have it: some in each millisecond. */
export const eventOf = (n: number) => ({
  at: AT + Math.floor(n / 40),
  seq: n % 40,
  nickname: `w${n % 2}`,
  data: { left: n },
})

export function rowOf({ at, seq, nickname, data }: ReturnType<typeof eventOf>): EventRow {
  return [
    BigInt(at),
    BigInt(seq),
    'alert',
    'info',
    'Recorder',
    nickname,
    'bench-1',
    BigInt(EPOCH),
    '203.0.113.7',
    'a failed login for root',
    JSON.stringify(data),
    '',
    null,
  ]
}
