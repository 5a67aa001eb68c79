import { join } from 'node:path'
import { installPackages, packagesAreMissing } from './node-packages.mjs'
import { manager, missingPrograms } from './programs.mjs'
import { installPrograms } from './system-packages.mjs'
import { bold, say, warn } from './terminal.mjs'

export const ROOT = join(import.meta.dirname, '../..')

/**
 * Brings node packages, Redis (where none is configured, or `redis` asks for the program in any case; with `test`
 * MariaDB and Chromium too), and builds dist/.
 * Returns false, having said why, where it can't.
 */
export async function setup({ test = false, redis = test, env = process.env } = {}) {
  const missing = missingPrograms({ test, redis, env })
  const packages = packagesAreMissing(ROOT)
  if (missing.length || packages) announce(missing, packages)
  if (packages && !(await installPackages(ROOT))) return false
  if (missing.length && !(await installPrograms(missing))) return false
  const { build } = await import('./build.mjs')
  return build(ROOT, { progress: say })
}

/** Before anything is fetched: what, how much, and by whom. */
function announce(missing, packages) {
  say(bold('Set-up: these are missing here and will be downloaded now'))
  if (packages) say('  the node packages of package-lock.json, about 60 MB, by npm into node_modules/')
  const by = manager()
  for (const { why, size } of missing) say(`  ${why}, about ${size}, by ${by?.name ?? 'hand'}`)
  if (missing.length && !by) warn('No package manager that this script knows was found.')
}
