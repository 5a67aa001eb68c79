import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { HysasError } from '../errors.js'

/** Text of each new file, by its absolute path. */
export type NewFiles = Record<string, string>

/**
 * Writes all of them, or none where one is there already. Returns their paths, relative to `cwd`.
 * @throws HysasError EXISTS
 */
export async function writeNew(cwd: string, files: NewFiles): Promise<string[]> {
  const paths = Object.keys(files)
  const taken = paths.find((path) => existsSync(path))
  if (taken) throw new HysasError('EXISTS', { path: relative(cwd, taken) || taken })
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? new HysasError('EXISTS', { path: relative(cwd, path) }) : error
    })
  }
  return paths.map((path) => relative(cwd, path))
}

/** A starter processor and its test, in a folder of processors. */
export async function starter(folder: string, type: string, kind: 'longRunning' | 'repeatable'): Promise<NewFiles> {
  const [templates, tests] = await Promise.all([import('./templates.js'), import('./test-templates.js')])
  return {
    [join(folder, `${type}.ts`)]: templates[kind](type),
    [join(folder, `${type}.test.ts`)]: tests[kind](type),
  }
}
