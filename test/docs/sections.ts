import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))

/** The text of a page of `docs/`. */
export const page = (name: string): string => readFileSync(`${DOCS}${name}`, 'utf8')

/** Sections of a page by their heading (without backticks), at one level: text up to the next heading of that level or above. */
export function sections(text: string, level: number): Map<string, string> {
  const found = new Map<string, string>()
  let heading: string | undefined
  let fenced = false
  for (const line of text.split('\n')) {
    if (line.startsWith('```')) fenced = !fenced
    const [, marks = '', title = ''] = (!fenced && /^(#+) (.*)$/.exec(line)) || []
    if (marks && marks.length <= level) heading = marks.length === level ? title.replaceAll('`', '').trim() : undefined
    else if (heading !== undefined) found.set(heading, `${found.get(heading) ?? ''}${line}\n`)
    if (heading !== undefined && !found.has(heading)) found.set(heading, '')
  }
  return found
}

/** Rows of the tables of a text: cells, without the header and the rule. */
export function rows(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'))
  return lines
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    )
    .filter((_, i) => !/^\|[ :|-]+\|$/.test(lines[i] ?? '') && !/^\|[ :|-]+\|$/.test(lines[i + 1] ?? ''))
}
