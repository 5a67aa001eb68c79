// Builds dist/: `node scripts/build.mjs [--force] [--quiet]`. Quick when no source has changed.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { withBuildLock } from './lib/build-lock.mjs'
import { bundles } from './lib/bundles.mjs'
import { declarations } from './lib/declarations.mjs'
import { publish } from './lib/output.mjs'
import { readStamp, sourcesHash, writeStamp } from './lib/stamp.mjs'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const force = process.argv.includes('--force')
const quiet = process.argv.includes('--quiet')

try {
  await withBuildLock(dist, build)
} catch (error) {
  if (!error.errors) console.error(error) // esbuild has printed its own already
  console.error('The build failed.')
  process.exitCode = 1
}

async function build() {
  const began = performance.now()
  const hash = sourcesHash(root)
  if (!force && readStamp(dist) === hash) return say('dist/ is up to date.')

  const { default: esbuild } = await import('esbuild')
  const types = declarations(root, dist)
  const { files, errors } = await bundles(esbuild, root, say)
  const written = publish(dist, files)
  if (errors.length) throw errors[0]
  // Types are checked by `npm run typecheck`; an error there must not keep the program from running.
  const problem = await types
  if (problem) console.error(`The types in dist/types are not complete: ${problem}`)
  else writeStamp(dist, hash)
  if (!existsSync(join(dist, 'cli/main.js'))) say('There is no src/cli/main.ts yet.')
  say(`Built dist/ in ${Math.round(performance.now() - began)} ms (${written} files new).`)
}

function say(text) {
  if (!quiet) console.error(text)
}
