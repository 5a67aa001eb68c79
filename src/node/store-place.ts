import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import type { Settings } from '../config/settings.js'
import { HysasError } from '../errors.js'
import { readNodes } from '../fleet/nodes.js'
import type { Names } from '../redis/names.js'
import { isMysqlUrl, sqliteFileOf } from '../store/url.js'

/**
 * Agrees with the other nodes on where the events are kept: one place for the whole fleet. The first node writes it
 * down; later ones on the same host use its SQLite file.
 * @returns the SQLite file to use, where no database is configured
 * @throws HysasError SECOND_HOST_SQLITE
 */
export async function claimStore(redis: Redis, names: Names, settings: Settings, sqliteFile: string): Promise<string> {
  const here = hostname()
  if (settings.databaseUrl !== undefined && isMysqlUrl(settings.databaseUrl)) {
    await redis.hset(names.store, { kind: 'mysql', path: '', host: '' })
    return sqliteFile
  }
  const { kind, path, host } = await redis.hgetall(names.store)
  if (kind === 'sqlite' && path && (await readNodes(redis, names)).length > 0) {
    if (host !== here) throw new HysasError('SECOND_HOST_SQLITE', { owner: host ?? '', host: here })
    return path
  }
  await redis.hset(names.store, { kind: 'sqlite', path: sqliteFile, host: here })
  return sqliteFile
}

/** The configured database is a server, or an SQLite file; without one it is a file of ours. */
export function storeOptionsOf({ databaseUrl, dataDir }: Settings): { url: string | undefined; sqliteFile: string } {
  if (databaseUrl === undefined) return { url: undefined, sqliteFile: join(dataDir, 'hysas.db') }
  if (isMysqlUrl(databaseUrl)) return { url: databaseUrl, sqliteFile: '' }
  return { url: undefined, sqliteFile: sqliteFileOf(databaseUrl) }
}
