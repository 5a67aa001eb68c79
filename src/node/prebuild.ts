import { mkdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { messageOf } from '../errors.js'
import type { Trace } from './bundling.js'
import { findCandidates } from './candidates.js'
import { compileProcessor } from './compile.js'
import { ownPackage } from './package-root.js'
import { probeProcessor } from './probe.js'
import { prebuiltFolder, writeRecipe } from './recall.js'
import { localIngredients, stateOf } from './recipe.js'

/**
 * Compiles and probes the processors that ship with the package, so that no node has to (`recall` in recall.ts). Part of
 * the package's build. One that fails is left to the node, which tells what is wrong with it.
 * @returns absolute paths of all that belongs there now, and the reasons of what failed
 */
export async function prebuildProcessors(): Promise<{ files: string[]; problems: string[] }> {
  const { root } = ownPackage()
  const { byType } = await findCandidates([], join(root, 'processors'))
  const files: string[] = []
  const problems: string[] = []
  await mkdir(prebuiltFolder(root), { recursive: true })
  await Promise.all(
    [...byType].map(async ([type, [candidate]]) => {
      const recipe = join(prebuiltFolder(root), `${type}.json`)
      try {
        files.push(recipe, ...(await prebuild(candidate?.file ?? '', recipe, root)))
      } catch (error) {
        await rm(recipe, { force: true })
        problems.push(messageOf(error))
      }
    }),
  )
  return { files, problems }
}

async function prebuild(file: string, path: string, root: string): Promise<string[]> {
  const trace: Trace = { files: new Set(), missing: new Set() }
  const outDir = prebuiltFolder(root)
  const { bundle, version } = await compileProcessor({ file, outDir, trace, portable: root })
  const manifest = await probeProcessor({ bundle, file })
  const ingredients = localIngredients(trace, root)
  const state = await stateOf(ingredients, root)
  await writeRecipe(path, { maker: 'build', version, bundle: basename(bundle), manifest, ...ingredients, state })
  return [bundle, `${bundle}.map`]
}
