import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { idOf } from './log-tail.js'

/**
 * The older files of a log, as logrotate and its like name them (`auth.log.1`, `auth.log-20261122`, not compressed),
 * oldest first. Other files beside it, such as `auth.log.bak`, are not taken for parts of the log.
 */
export async function rotatedFiles(file: string): Promise<{ path: string; id: string }[]> {
  const folder = dirname(file)
  const base = basename(file)
  const names = (await readdir(folder)).filter((name) => name.startsWith(base) && ROTATED.test(name.slice(base.length)))
  const found = await Promise.all(names.map((name) => statOf(join(folder, name))))
  return found
    .filter((entry) => entry !== undefined)
    .sort((a, b) => Number(a.modified - b.modified) || b.number - a.number)
    .map(({ path, id }) => ({ path, id }))
}

async function statOf(path: string) {
  try {
    const stats = await stat(path, { bigint: true })
    if (!stats.isFile()) return undefined
    return { path, id: idOf(stats), modified: stats.mtimeNs, number: Number(/\.(\d+)$/.exec(path)?.[1] ?? 0) }
  } catch {
    return undefined // Moved on between listing and looking.
  }
}

const ROTATED = /^(\.\d{1,6}|[.-]\d{4}-?\d{2}-?\d{2}([-.T_]?\d+)*)$/
