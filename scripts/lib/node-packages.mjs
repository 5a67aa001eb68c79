import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runVisibly } from './terminal.mjs'

/** Is what lies in node_modules other than what package-lock.json wants? npm's own record of it tells. */
export function packagesAreMissing(root) {
  const wanted = packagesIn(join(root, 'package-lock.json'))
  const there = packagesIn(join(root, 'node_modules/.package-lock.json'))
  if (!wanted) return false
  if (!there) return true
  const names = Object.keys(wanted).filter((name) => name !== '')
  return names.some((name) => {
    const { version, optional, devOptional } = wanted[name]
    if (!there[name]) return !optional && !devOptional // those of other platforms are left out by npm
    return there[name].version !== version
  })
}

/** Without install scripts: nothing that we use needs one. With what builds it, whatever NODE_ENV and npm's settings say. */
export function installPackages(root) {
  const args = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund']
  return runVisibly('Installing node packages', 'npm', args, { cwd: root })
}

function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}
