import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Folders and files that dist/ is made of. */
const SOURCES = [
  ...['src', 'processors', 'scripts/build.mjs', 'scripts/lib', 'package.json', 'package-lock.json'],
  ...['tsconfig.json', 'tsconfig.build.json'],
]

export function sourcesHash(root) {
  const hash = createHash('sha256')
  for (const source of SOURCES) {
    for (const path of filesOf(join(root, source))) {
      hash.update(path.slice(root.length)).update('\0').update(readFileSync(path)).update('\0')
    }
  }
  return hash.digest('hex')
}

export function readStamp(dist) {
  const path = join(dist, '.stamp')
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

export function writeStamp(dist, hash) {
  writeFileSync(join(dist, '.stamp'), hash)
}

function filesOf(path) {
  if (!existsSync(path)) return []
  let entries
  try {
    entries = readdirSync(path, { withFileTypes: true })
  } catch {
    return [path]
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap((entry) => filesOf(join(path, entry.name)))
}
