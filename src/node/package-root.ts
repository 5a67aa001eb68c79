import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HysasError } from '../errors.js'

let known: { root: string; version: string; dependencies: ReadonlySet<string> } | undefined

/** Folder of this package, wherever it is installed, its version, and the names of the packages that it brings. */
export function ownPackage(): { root: string; version: string; dependencies: ReadonlySet<string> } {
  known ??= find(dirname(fileURLToPath(import.meta.url)))
  return known
}

/**
 * File behind `hysas`, `hysas/testing`, `hysas/monitor` and the like: the built one, else (in a checkout that was not
 * built) the source. Undefined where there is none.
 */
export function ownEntry(specifier: string): string | undefined {
  const name = specifier.slice('hysas/'.length) || 'index'
  if (!/^[a-z-]+$/.test(name)) return undefined
  const candidates = [`dist/${name}.js`, `src/${name}.ts`, `src/${name}/index.ts`, `src/${name}/watch.ts`]
  return candidates.map((path) => join(ownPackage().root, path)).find((path) => existsSync(path))
}

/** Absolute path of a file in dist/. @throws HysasError INTERNAL where it was not built */
export function builtFile(path: string): string {
  const file = join(ownPackage().root, 'dist', path)
  if (!existsSync(file)) throw new HysasError('INTERNAL', { reason: `${file} is missing; \`npm run build\` makes it` })
  return file
}

function find(folder: string): { root: string; version: string; dependencies: ReadonlySet<string> } {
  const file = join(folder, 'package.json')
  if (existsSync(file)) {
    const {
      name,
      version = '',
      dependencies,
    } = JSON.parse(readFileSync(file, 'utf8')) as {
      name?: string
      version?: string
      dependencies?: Record<string, string>
    }
    if (name === 'hysas') return { root: folder, version, dependencies: new Set(Object.keys(dependencies ?? {})) }
  }
  const parent = dirname(folder)
  if (parent === folder) throw new HysasError('INTERNAL', { reason: 'the package hysas has lost its package.json' })
  return find(parent)
}
