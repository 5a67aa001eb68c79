import { join } from 'node:path'
import type { Settings } from './settings.js'

/** The SQLite file of the events, where no database is configured: one for each fleet that lives in this folder. */
export function storeFileOf({ dataDir, namespace }: Pick<Settings, 'dataDir' | 'namespace'>): string {
  return join(dataDir, namespace === 'HySAS' ? 'hysas.db' : `hysas-${namespace}.db`)
}
