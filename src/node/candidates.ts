import type { Dirent } from 'node:fs'
import { readdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { COMMAND_QUEUE, TYPE } from '../redis/names.js'

/** A file that is a processor by its name. */
export interface Candidate {
  type: string
  file: string
  builtin: boolean
  /** Why it is not even looked at; empty when it is. */
  refused: string
}

export interface Candidates {
  /** By type; the first of each list counts, the others are shadowed by it. */
  byType: Map<string, Candidate[]>
  /** Folders that are there. */
  folders: string[]
  /** Files that look as if they were meant to be processors, and why they are none. */
  odd: Map<string, string>
}

/** Where a folder has a type in several forms, the earlier counts. */
const EXTENSIONS = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs']
const PROCESSOR_FILE = new RegExp(`^([^.]+)\\.(${EXTENSIONS.join('|')})$`)

/** Lists the processor files of all folders: only those directly in them. A folder that is missing has none. */
export async function findCandidates(folders: readonly string[], builtinFolder: string): Promise<Candidates> {
  const found: Candidates = { byType: new Map(), folders: [], odd: new Map() }
  for (const folder of [...new Set([...folders, builtinFolder])]) {
    const entries = await list(folder, found)
    if (entries) found.folders.push(folder)
    for (const { name } of (entries ?? []).filter(isFileOrLink).sort(byExtension)) {
      const type = PROCESSOR_FILE.exec(name)?.[1]
      if (type === undefined || !/^[A-Z]/.test(type)) continue
      const file = join(folder, name)
      const problem = nameProblem(type)
      if (problem) {
        found.odd.set(file, problem)
        continue
      }
      const candidate = { type, file, builtin: folder === builtinFolder, refused: await placeProblem(file, folder) }
      found.byType.set(type, [...(found.byType.get(type) ?? []), candidate])
    }
  }
  return found
}

async function list(folder: string, found: Candidates): Promise<Dirent[] | undefined> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT') found.odd.set(folder, message)
    return undefined
  }
}

function isFileOrLink(entry: Dirent): boolean {
  return entry.isFile() || entry.isSymbolicLink()
}

function byExtension(a: Dirent, b: Dirent): number {
  const rank = ({ name }: Dirent) => EXTENSIONS.indexOf(PROCESSOR_FILE.exec(name)?.[2] ?? '')
  return rank(a) - rank(b)
}

function nameProblem(type: string): string {
  if (type === COMMAND_QUEUE) return `"${COMMAND_QUEUE}" is reserved for the queue of commands`
  return TYPE.test(type) ? '' : 'the name of a type has only letters and digits, at most 63'
}

/** A link may not make a file from elsewhere a processor. */
async function placeProblem(file: string, folder: string): Promise<string> {
  try {
    const inside = (await realpath(file)).startsWith(`${await realpath(folder)}${sep}`)
    return inside ? '' : 'it is a link that leads out of the folder'
  } catch {
    return 'it is a link that leads nowhere'
  }
}
