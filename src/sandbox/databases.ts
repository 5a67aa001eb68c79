import type { Database } from '../contract.js'
import { HysasError, nearest } from '../errors.js'

export interface Databases {
  /** @throws HysasError UNKNOWN_DATABASE */
  get(name: string): Promise<Database>
  close(): Promise<void>
}

/** The user's own databases by name, each opened when first asked for, and kept. The packages are loaded only then. */
export function createDatabases(urls: Readonly<Record<string, string>>): Databases {
  const opened = new Map<string, Promise<Database & { close(): Promise<void> }>>()
  return {
    get(name) {
      const url = Object.hasOwn(urls, name) ? urls[name] : undefined
      if (url === undefined) return Promise.reject(unknown(name, Object.keys(urls)))
      const known = opened.get(name)
      if (known) return known
      const opening = import('../store/database.js').then(({ openDatabase }) => openDatabase(url))
      opened.set(name, opening)
      opening.catch(() => opened.delete(name)) // the next call tries anew
      return opening
    },
    async close() {
      const all = [...opened.values()]
      opened.clear()
      await Promise.allSettled(all.map(async (one) => (await one).close()))
    },
  }
}

function unknown(name: string, names: string[]): HysasError {
  const known = nearest(name, names) || (names.length ? ` There are: ${names.join(', ')}.` : ' None is configured.')
  return new HysasError('UNKNOWN_DATABASE', { name, known })
}
