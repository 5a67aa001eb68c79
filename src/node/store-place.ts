import { hostname } from 'node:os'
import type { Redis } from 'ioredis'
import type { Settings } from '../config/settings.js'
import { storeFileOf } from '../config/store-file.js'
import { HysasError } from '../errors.js'
import { readNodes } from '../fleet/nodes.js'
import type { Names } from '../redis/names.js'
import type { StoreOptions } from '../store/store.js'
import { isMysqlUrl, sqliteFileOf } from '../store/url.js'

/**
 * Agrees with the other nodes on where the events are kept: one place for the whole fleet. The first node writes it
 * down; later ones on the same host use its SQLite file.
 * @param joined this node is one of the fleet already: its place is the agreed one
 * @returns the SQLite file to use, where no database is configured
 * @throws HysasError SECOND_HOST_SQLITE, OTHER_DATABASE
 */
export async function claimStore(
  redis: Redis,
  names: Names,
  { databaseUrl }: Settings,
  sqliteFile: string,
  joined = false,
): Promise<string> {
  const here = hostname()
  const ours = databaseUrl !== undefined && isMysqlUrl(databaseUrl) ? 'mysql' : 'sqlite'
  const { kind, path, host = '' } = await redis.hgetall(names.store)
  if (kind && (joined || (await readNodes(redis, names)).length > 0)) {
    if (kind === ours && host === here && path) return path
    if (kind !== ours && !joined)
      throw new HysasError('OTHER_DATABASE', { theirs: inWords(kind, host), ours: inWords(ours, here) })
    if (ours === 'sqlite' && !joined) throw new HysasError('SECOND_HOST_SQLITE', { owner: host, host: here })
  }
  const place = ours === 'mysql' ? { path: '', host: '' } : { path: sqliteFile, host: here }
  await redis.hset(names.store, { kind: ours, ...place })
  return sqliteFile
}

function inWords(kind: string, host: string): string {
  return kind === 'mysql' ? 'MySQL or MariaDB' : `an SQLite file on the host ${host}`
}

/** The configured database is a server, or an SQLite file; without one it is a file of ours. */
export function storeOptionsOf(settings: Settings): StoreOptions {
  const { databaseUrl, namespace } = settings
  const owner = { namespace, claims: true }
  if (databaseUrl === undefined) return { sqliteFile: storeFileOf(settings), owner }
  if (isMysqlUrl(databaseUrl)) return { url: databaseUrl, sqliteFile: '', owner }
  return { sqliteFile: sqliteFileOf(databaseUrl), owner }
}
