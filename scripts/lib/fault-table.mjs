import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'

const [FROM, TO] = ['<!-- test:faults -->', '<!-- /test:faults -->']

/** What the tests wrote down, a line of JSON each: `{row, fault, figure, value, held}`. None where no test came so far. */
export function readMeasurements(file) {
  try {
    const lines = readFileSync(file, 'utf8').trim().split('\n')
    return lines.map((line) => JSON.parse(line))
  } catch {
    return []
  }
}

/** One line for each fault and figure, by row; what was measured several times is told as median and worst. */
export function summarize(measurements) {
  return [...groupBy(measurements, keyOf).values()]
    .map((all) => {
      const { row, fault, figure } = all[0]
      return { row, fault, figure, value: valueOfAll(all), held: all.every(({ held }) => held) }
    })
    .sort((a, b) => a.row - b.row)
}

/** Puts the table between the two marks of a Markdown file. */
export function writeMarkdown(file, lines, command) {
  const text = readFileSync(file, 'utf8')
  const [start, end] = [text.indexOf(FROM), text.indexOf(TO)]
  if (start < 0 || end < start) throw new Error(`${file} has no ${FROM} ... ${TO}`)
  const rows = lines.map(({ row, fault, figure, value, held }) =>
    [row, fault, figure, value, held ? 'yes' : '**no**'].map((cell) => String(cell).replaceAll('|', '\\|')).join(' | '),
  )
  const table = ['row | fault | figure | measured | held', '--- | --- | --- | --- | ---', ...rows]
  const about = `\`${command}\`, ${new Date().toISOString().slice(0, 10)}, ${machine()}:`
  const body = [FROM, '', about, '', ...table.map((line) => `| ${line} |`), '', TO].join('\n')
  writeFileSync(file, text.slice(0, start) + body + text.slice(end + TO.length))
}

function machine() {
  return `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), Linux ${release()}, Node ${process.versions.node}`
}

const keyOf = ({ row, fault, figure }) => `${row} ${fault.replace(/\d+ ms/, '')} ${figure}`

function valueOfAll(all) {
  const values = all.map(({ value }) => value)
  if (values.length === 1) return values[0]
  const times = values.map((value) => /^(\d+(?:\.\d+)?) (ms|s)$/.exec(value))
  if (times.every(Boolean)) {
    const sorted = times.map(([, number]) => Number(number)).sort((a, b) => a - b)
    return `${sorted[Math.floor(sorted.length / 2)]} ${times[0][2]}, at most ${sorted.at(-1)} ${times[0][2]} (${values.length} times)`
  }
  const counts = new Map()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  if (counts.size > 4) return `${values.slice(0, 3).join('; ')}; ... (${values.length} times)`
  return [...counts].map(([value, n]) => (n === 1 ? value : `${value} (${n} times)`)).join('; ')
}

function groupBy(all, key) {
  const groups = new Map()
  for (const one of all) groups.set(key(one), [...(groups.get(key(one)) ?? []), one])
  return groups
}
