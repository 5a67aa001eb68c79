import { stat } from 'node:fs/promises'

export interface Freshness {
  /** Changes whenever one of the files does. */
  signature: string
  /** Unix ms of the latest change; 0 without any. */
  newest: number
}

/** The state of files and folders on disk, to be compared with a later one. One that is missing counts too. */
export async function freshnessOf(paths: Iterable<string>): Promise<Freshness> {
  let newest = 0
  const states = await Promise.all(
    [...new Set(paths)].sort().map(async (path) => {
      try {
        const { mtimeMs, size, ino } = await stat(path)
        newest = Math.max(newest, mtimeMs)
        return `${path}:${mtimeMs}:${size}:${ino}`
      } catch {
        return `${path}:missing`
      }
    }),
  )
  return { signature: states.join('\n'), newest }
}
