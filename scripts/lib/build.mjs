import { existsSync } from 'node:fs'
import { join } from 'node:path'
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

  const [{ default: esbuild }, { bundles }, { declarations }, { publish }] = await Promise.all([
    import('esbuild'),
    import('./bundles.mjs'),
    import('./declarations.mjs'),
    import('./output.mjs'),
  ])
  const types = declarations(root, dist)
  const { files, errors } = await bundles(esbuild, root, say)
  const written = publish(dist, files, clean ? { keepOldMs: 0 } : {})
  // Types are checked by `npm run typecheck`; an error there must not keep the program from running.
  const problem = await types
  if (errors.length) throw errors[0]
  if (problem) console.error(`The types in dist/types are not complete: ${problem}`)
  else writeStamp(dist, hash)
  if (!existsSync(join(dist, 'cli/main.js'))) say('There is no src/cli/main.ts yet.')
  progress(`Built dist/ in ${Math.round(performance.now() - began)} ms (${written} files new).`)
}
