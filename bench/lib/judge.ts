import type { Line, Target } from './types.js'

/** What became of a line: the ratio of ours to the yardstick, and whether bar and target are kept. */
export interface Judged extends Line {
  row: number
  name: string
  ratio?: number
  held?: boolean
  reached?: boolean
}

export function judge(row: { number: number; name: string }, line: Line): Judged {
  const ratio = line.yardstick && line.ours.value / line.yardstick.value
  return {
    ...line,
    row: row.number,
    name: row.name,
    ...(ratio !== undefined && { ratio }),
    ...(line.bar && { held: keeps(line, line.bar) }),
    ...(line.target && { reached: keeps(line, line.target) }),
  }
}

/** NaN, of something that could not be measured, keeps nothing. */
function keeps({ ours, yardstick }: Line, bar: Target): boolean {
  const against = bar.against ?? yardstick
  const value = bar.of === 'ours' ? ours.value : ours.value / (against?.value ?? Number.NaN)
  return bar.at === 'most' ? value <= bar.value : value >= bar.value
}
