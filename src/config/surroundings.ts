import { statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** What the defaults of settings depend on outside of flags, environment and file. */
export interface Surroundings {
  /** Absolute folders. */
  processors: string[]
  node: string
  /** Of any absolute path. */
  isFolder(path: string): boolean
}

/** `home` is the folder of the configuration file, else the working folder. */
export function surroundingsOf(home: string): Surroundings {
  // also where it isn't there yet: it is noticed when it comes
  return { processors: [join(home, 'processors')], node: nodeNameOf(hostname()), isFolder }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** A host's name as a valid name of a node: `10-0-0-1` becomes `node-10-0-0-1`. */
export function nodeNameOf(host: string): string {
  const valid = host.split('.')[0]?.replace(/[^A-Za-z0-9_-]/g, '-') ?? ''
  return (/^[A-Za-z]/.test(valid) ? valid : `node-${valid}`).slice(0, 56)
}
