import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rename, utimes, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import type { ProcessorManifest } from '../contract.js'
import { markUsed } from './bundles.js'
import type { Trace } from './bundling.js'
import type { Candidate } from './candidates.js'
import { ownPackage } from './package-root.js'
import { allIngredients, changedSince, hash, type Recipe, readRecipe, stateOf } from './recipe.js'

/** What was compiled and probed before. */
export interface Recalled {
  bundle: string
  version: string
  manifest: ProcessorManifest
}

/** Where the build leaves the processors that ship with the package: `<Type>.json` and the bundle that it names. */
export const prebuiltFolder = (root: string): string => join(root, 'dist', 'processors')

/**
 * What an earlier node, or for a built-in processor the build of the package, made of the same file in the same
 * surroundings; undefined where anything has changed since. Only good versions are remembered: what was wrong may have had
 * its cause elsewhere.
 * @param trace filled as by compiling
 */
export async function recall({ type, file, builtin }: Candidate, outDir: string, trace: Trace) {
  const { root } = ownPackage()
  return (
    (builtin && (await recallFrom(join(prebuiltFolder(root), `${type}.json`), file, root, undefined, trace))) ||
    (await recallFrom(recipePath(type, file, outDir), file, '', await maker(), trace))
  )
}

/**
 * Remembers what was made of a file for the next node of the same data folder, unless anything of it has changed since
 * `beganMs` (Unix ms): then nobody knows which of it was read.
 * @param inputs all files that were bundled, absolute
 */
export async function remember(
  { type, file }: Candidate,
  outDir: string,
  made: Recalled,
  trace: Trace,
  inputs: readonly string[],
  beganMs: number,
): Promise<void> {
  const ingredients = await allIngredients(trace, inputs)
  if (!ingredients) return
  const state = await stateOf(ingredients)
  if (await changedSince(ingredients, beganMs)) return
  const { bundle, version, manifest } = made
  await writeRecipe(recipePath(type, file, outDir), {
    ...{ maker: await maker(), version, bundle: basename(bundle), manifest, ...ingredients, state },
  })
}

/** In one step, since another node may read at the same time. */
export async function writeRecipe(path: string, recipe: Recipe): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString('hex')}.tmp`
  await writeFile(draft, JSON.stringify(recipe))
  await rename(draft, path)
}

async function recallFrom(
  path: string,
  file: string,
  base: string,
  by: string | undefined,
  trace: Trace,
): Promise<Recalled | undefined> {
  const recipe = await readRecipe(path)
  if (!recipe || (by !== undefined && recipe.maker !== by)) return undefined
  const at = (name: string) => (base ? join(base, name) : name)
  const bundle = join(dirname(path), recipe.bundle)
  if (at(recipe.local[0] ?? '') !== file || !existsSync(bundle) || !existsSync(`${bundle}.map`)) return undefined
  if ((await stateOf(recipe, base)) !== recipe.state) return undefined
  for (const name of recipe.local) trace.files.add(at(name))
  for (const name of recipe.missing) trace.missing.add(at(name))
  const now = new Date()
  await Promise.all([markUsed([bundle]), utimes(path, now, now).catch(() => undefined)])
  return { bundle, version: recipe.version, manifest: recipe.manifest }
}

/** One for each source file: what was made of it last. */
function recipePath(type: string, file: string, outDir: string): string {
  return join(outDir, `${type}-${hash(file).slice(0, 10)}.json`)
}

let known: Promise<string> | undefined

/** All that has a hand in it but is not among the files. In a checkout the stamp of the build stands for our own sources. */
function maker(): Promise<string> {
  known ??= (async () => {
    const { root, version } = ownPackage()
    const stamp = await readFile(join(root, 'dist', '.stamp'), 'utf8').catch(() => '')
    const esbuild = createRequire(import.meta.url)('esbuild/package.json') as { version: string }
    const node = `${process.version} ${process.platform} ${process.arch} ${process.env.NODE_PATH ?? ''}`
    return `${version} ${stamp} ${esbuild.version} ${node}`
  })()
  return known
}
