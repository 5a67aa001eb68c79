import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folder of the built page (`dist/page` of the package), wherever this module was bundled to. */
export function pageFolder(): string {
  return join(packageRoot(dirname(fileURLToPath(import.meta.url))), 'dist', 'page')
}

function packageRoot(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (nameIn(join(at, 'package.json')) === 'hysas') return at
    if (at === dirname(at)) return folder
  }
}

function nameIn(file: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name
  } catch {
    return undefined
  }
}
