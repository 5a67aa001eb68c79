import { statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** What the defaults of settings depend on outside of flags, environment and file. */
export interface Surroundings {
  /** Absolute folders. */
  processors: string[]
  node: string
}

/** `home` is the folder of the configuration file, else the working folder. */
export function surroundingsOf(home: string): Surroundings {
  const folder = join(home, 'processors')
  const isThere = statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false
  return { processors: isThere ? [folder] : [], node: nodeNameOf(hostname()) }
}

/** A host's name as a valid name of a node: `10-0-0-1` becomes `node-10-0-0-1`. */
export function nodeNameOf(host: string): string {
  const valid = host.split('.')[0]?.replace(/[^A-Za-z0-9_-]/g, '-') ?? ''
  return (/^[A-Za-z]/.test(valid) ? valid : `node-${valid}`).slice(0, 56)
}
