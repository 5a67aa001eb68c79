import type { Isolation } from '../contract.js'
import type { CatalogEntry } from './catalog.js'

/**
 * How a worker is run: as its processor says, but in a process of its own where its memory is to be watched, which can't
 * be told in a common child, and where it has blocked or starved a common child before.
 * @param own the field of the worker's hash that says why
 */
export function isolationOf({ manifest }: CatalogEntry, own: string | null | undefined): Isolation {
  return manifest?.isolation === 'shared' && !manifest.maxMemoryMb && !own ? 'shared' : 'process'
}
