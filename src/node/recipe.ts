import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, extname, join, parse, relative, resolve, sep } from 'node:path'
import type { ProcessorManifest } from '../contract.js'
import type { Trace } from './bundling.js'
import { freshnessOf } from './freshness.js'

/** What came of compiling and probing a processor file, and of what: as long as all of that is the same, so is the result. */
export interface Recipe {
  /** Programs and versions that made it. */
  maker: string
  version: string
  /** File name, in the recipe's own folder. */
  bundle: string
  manifest: ProcessorManifest
  /** As in `Trace`; the processor file comes first. */
  local: string[]
  missing: string[]
  /** Files whose contents matter. */
  files: string[]
  /** Folders where a new file could take the place of an imported one. */
  folders: string[]
  /** Folders whose time of change matters. */
  packages: string[]
  /** Hash of the state of all of these. Paths are relative to the folder that is given as `base`. */
  state: string
}

export type Ingredients = Pick<Recipe, 'local' | 'missing' | 'files' | 'folders' | 'packages'>

/** The local files alone: for what is shipped together with its packages. */
export function localIngredients(trace: Trace, base: string): Ingredients {
  const local = relativeTo(base, trace.files)
  return { local, missing: relativeTo(base, trace.missing), files: local, folders: foldersOf(local), packages: [] }
}

/**
 * All that a bundle depends on: what is in it, and what decides which files are found.
 * @param inputs all files that were bundled, absolute
 * @returns undefined where that can't be told
 */
export async function allIngredients(trace: Trace, inputs: readonly string[]): Promise<Ingredients | undefined> {
  const folders = foldersOf(trace.files)
  const above = [...new Set(folders.flatMap(withParents))]
  const settings = above.map((folder) => join(folder, 'tsconfig.json'))
  for (const file of settings) if (/"extends"/.test(await readFile(file, 'utf8').catch(() => ''))) return undefined
  const found = above.flatMap((folder) => [
    join(folder, 'package.json'),
    join(folder, 'node_modules', '.package-lock.json'),
  ])
  return {
    local: [...trace.files],
    missing: [...trace.missing],
    files: [...new Set([...trace.files, ...inputs, ...settings, ...found])],
    folders,
    packages: above.map((folder) => join(folder, 'node_modules')),
  }
}

/** Was one of them changed at or after `sinceMs` (Unix ms)? */
export async function changedSince({ files, folders }: Ingredients, sinceMs: number): Promise<boolean> {
  return (await freshnessOf([...files, ...folders])).newest >= sinceMs
}

export async function stateOf(
  { files, folders, packages }: Pick<Recipe, 'files' | 'folders' | 'packages'>,
  base = '',
): Promise<string> {
  const at = (path: string) => resolve(base, path)
  const parts = await Promise.all([
    ...files.map(async (path) => `${path} ${await contentOf(at(path))}`),
    ...folders.map(async (path) => `${path} ${await namesIn(at(path))}`),
    ...packages.map(async (path) => `${path} ${await timeOf(at(path))}`),
  ])
  return hash(parts.sort().join('\n'))
}

/** Undefined where there is none that can be read. */
export async function readRecipe(path: string): Promise<Recipe | undefined> {
  try {
    const recipe: unknown = JSON.parse(await readFile(path, 'utf8'))
    return isRecipe(recipe) ? recipe : undefined
  } catch {
    return undefined
  }
}

export const hash = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex')

function relativeTo(base: string, paths: Iterable<string>): string[] {
  return [...paths].map((path) => relative(base, path).split(sep).join('/'))
}

function foldersOf(files: Iterable<string>): string[] {
  return [...new Set([...files].map((file) => dirname(file)))]
}

function withParents(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder || folder === parse(folder).root ? [folder] : [folder, ...withParents(parent)]
}

async function contentOf(path: string): Promise<string> {
  try {
    return hash(await readFile(path))
  } catch {
    return 'missing'
  }
}

/** What an import might mean: scripts, and folders with an index. */
async function namesIn(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => [])
  return names
    .filter((name) => !name.startsWith('.') && /^(\.([cm]?[jt]s|[jt]sx|json))?$/.test(extname(name)))
    .sort()
    .join('/')
}

async function timeOf(path: string): Promise<string> {
  try {
    const { mtimeMs, ino } = await stat(path)
    return `${mtimeMs} ${ino}`
  } catch {
    return 'missing'
  }
}

const LISTS = ['local', 'missing', 'files', 'folders', 'packages']
const TEXTS = ['maker', 'version', 'bundle', 'state']

function isRecipe(value: unknown): value is Recipe {
  if (typeof value !== 'object' || value === null) return false
  const of = value as Record<string, unknown>
  return (
    LISTS.every((name) => Array.isArray(of[name])) &&
    TEXTS.every((name) => typeof of[name] === 'string') &&
    typeof of.manifest === 'object'
  )
}
