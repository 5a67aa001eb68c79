import { readdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'

/** Bundles, their maps, and what is remembered of the files that they were made of. */
const BUNDLE = /^[A-Z][A-Za-z0-9]*-[0-9a-f]{10}\.(mjs(\.map)?|json)(\.[0-9a-f]{8}\.tmp)?$/
const KEPT_MS = 86_400_000

/** Removes bundles of former versions that no node has used for a day. A node marks those that it uses, by `markUsed`. */
export async function pruneBundles(outDir: string, used: ReadonlySet<string>): Promise<void> {
  const names = await readdir(outDir).catch(() => [])
  for (const name of names.filter((one) => BUNDLE.test(one))) {
    const path = join(outDir, name)
    if (used.has(path.replace(/\.map$/, ''))) continue
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }))
    if (Date.now() - mtimeMs > KEPT_MS) await rm(path, { force: true })
  }
}

/** Other nodes of the same folder see by a bundle's age that it is still in use. One that is missing is no matter. */
export async function markUsed(bundles: Iterable<string>): Promise<void> {
  const now = new Date()
  for (const bundle of bundles) {
    for (const path of [bundle, `${bundle}.map`]) await utimes(path, now, now).catch(() => undefined)
  }
}
