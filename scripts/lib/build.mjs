import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { withBuildLock } from './build-lock.mjs'
import { readStamp, sourcesHash, writeStamp } from './stamp.mjs'

/**
 * Builds dist/ where a source has changed. Returns false, having said why, where that fails. `say` is told of
 * everything, `progress` only of a build that really takes place. `clean` leaves nothing of earlier builds, which programs
 * that run from them may still want.
 */
export async function build(root, { force = false, clean = false, say = () => {}, progress = say } = {}) {
  const dist = join(root, 'dist')
  try {
    await withBuildLock(dist, () => buildIfChanged(root, dist, { force, clean, say, progress }))
    return true
  } catch (error) {
    if (!error.errors) console.error(error) // esbuild has printed its own already
    console.error('The build failed.')
    return false
  }
}

async function buildIfChanged(root, dist, { force, clean, say, progress }) {
  const began = performance.now()
  const hash = sourcesHash(root)
  if (!force && !clean && readStamp(dist) === hash) return say('dist/ is up to date.')

  const [{ default: esbuild }, { bundles }, { declarations }, { publish, removeOld }] = await Promise.all([
    import('esbuild'),
    import('./bundles.mjs'),
    import('./declarations.mjs'),
    import('./output.mjs'),
  ])
  const types = declarations(root, dist)
  const { files, errors } = await bundles(esbuild, root, say)
  const keeping = clean ? 0 : undefined
  const written = publish(dist, files, keeping)
  // Types are checked by `npm run typecheck`; an error there must not keep the program from running.
  const problem = await types
  if (errors.length) throw errors[0]
  await processors(dist, hash, (current) => removeOld(join(dist, 'processors'), current, keeping))
  if (problem) console.error(`The types in dist/types are not complete: ${problem}`)
  else writeStamp(dist, hash)
  if (!existsSync(join(dist, 'cli/main.js'))) say('There is no src/cli/main.ts yet.')
  progress(`Built dist/ in ${Math.round(performance.now() - began)} ms (${written} files new).`)
}

/** Those that ship with the package, by the program that was just built: what nodes then need not do at every start. */
async function processors(dist, hash, tidy) {
  const { prebuildProcessors } = await import(`${pathToFileURL(join(dist, 'prebuild.js'))}?${hash}`)
  const { files, problems } = await prebuildProcessors()
  for (const problem of problems) console.error(problem)
  tidy(files)
}
