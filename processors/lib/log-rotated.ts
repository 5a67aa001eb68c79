import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { idOf } from './log-tail.js'

/**
 * The older files of a log, as logrotate and its like name them (`auth.log.1`, `auth.log-20261122`, not compressed),
 * oldest first. Other files beside it, such as `auth.log.bak`, are not taken for parts of the log.
 */
export async function rotatedFiles(file: string): Promise<{ path: string; id: string }[]> {
  const folder = dirname(file)
  const base = basename(file)
  const names = (await readdir(folder)).filter((name) => name.startsWith(base))
  const found = await Promise.all(names.map((name) => rotatedOf(join(folder, name), name.slice(base.length))))
  const files = found.filter((entry) => entry !== undefined)
  const numbered = files.filter(({ dated }) => !dated).sort((a, b) => compare(b.order, a.order))
  const dated = files.filter(({ dated }) => dated).sort((a, b) => compare(a.order, b.order) || byTime(a, b))
  return merged(numbered, dated).map(({ path, id }) => ({ path, id }))
}

interface Rotated {
  path: string
  id: string
  /** Its name ends in a date; else in a number. */
  dated: boolean
  /** The numbers of that ending. */
  order: number[]
  modified: bigint
}

async function rotatedOf(path: string, ending: string): Promise<Rotated | undefined> {
  const date = DATED.exec(ending)
  if (!date && !NUMBERED.test(ending)) return undefined
  const numbers = date ? `${date[1]}${date[2]}${date[3]} ${date[4]}` : ending
  try {
    const stats = await stat(path, { bigint: true })
    if (!stats.isFile()) return undefined
    const order = (numbers.match(/\d+/g) ?? []).map(Number)
    return { path, id: idOf(stats), dated: date !== null, order, modified: stats.mtimeNs }
  } catch {
    return undefined // Moved on between listing and looking.
  }
}

/**
 * Files of both kinds, of each in the order that their names tell. Only between the two the time of the last change
 * decides: a file may be written to after it was rotated, and an empty one is as old as its making.
 */
function merged(numbered: readonly Rotated[], dated: readonly Rotated[]): Rotated[] {
  const [one, other] = [[...numbered], [...dated]]
  const all: Rotated[] = []
  while (one[0] && other[0]) all.push(...(byTime(one[0], other[0]) <= 0 ? one : other).splice(0, 1))
  return [...all, ...one, ...other]
}

const byTime = (a: Rotated, b: Rotated): number => Number(a.modified - b.modified)

/** Number by number; what has fewer of them comes first. */
function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((number, i) => number !== b[i])
  return at === -1 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? Number.NEGATIVE_INFINITY)
}

const NUMBERED = /^\.\d{1,6}$/
const DATED = /^[.-](\d{4})-?(\d{2})-?(\d{2})((?:[-.T_]?\d+)*)$/
