import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** How long the chunks of an earlier build stay for programs that still run from it, ms. */
const KEEP_OLD_MS = 60 * 60_000

/** Puts the files in place, each at once, and only where it has changed. Returns how many. */
export function publish(dist, files, keepOldMs = KEEP_OLD_MS) {
  const changed = files.filter(({ path, contents }) => !same(join(dist, path), contents))
  for (const { path, contents, executable } of changed) {
    const target = join(dist, path)
    mkdirSync(dirname(target), { recursive: true })
    const fresh = `${target}.${process.pid}.new`
    writeFileSync(fresh, contents)
    if (executable) chmodSync(fresh, 0o755)
    renameSync(fresh, target)
  }
  const current = files.map(({ path }) => join(dist, path))
  for (const folder of ['chunks', 'cli', 'sandbox']) removeOld(join(dist, folder), current, keepOldMs)
  return changed.length
}

function same(path, contents) {
  return existsSync(path) && readFileSync(path).equals(contents)
}

/** Removes from a folder what is not current (absolute paths) and old enough. */
export function removeOld(folder, current, keepOldMs = KEEP_OLD_MS) {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (!current.includes(path) && Date.now() - statSync(path).mtimeMs >= keepOldMs) rmSync(path, { force: true })
  }
}
