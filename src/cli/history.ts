import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Client } from '../client.js'
import type { Settings } from '../config/settings.js'
import { storeFileOf } from '../config/store-file.js'
import { HysasError } from '../errors.js'
import type { StoreOptions } from '../store/store.js'
import type { EventStore } from '../store/types.js'
import type { Cli } from './cli.js'
import { settingsOf, withClient } from './connect.js'

/**
 * Opens the fleet's event store for reading: the database that the settings name; else where the fleet says it is; and
 * without a fleet the SQLite file of this folder, so that history can be read when all is down.
 * @throws HysasError NO_REDIS_KNOWN, NO_REDIS, SECOND_HOST_SQLITE, DATABASE, OTHER_FLEETS_STORE
 */
export async function openHistory(cli: Cli): Promise<EventStore> {
  const settings = await settingsOf(cli)
  if (settings.databaseUrl) return open(settings, '')
  try {
    return await withClient(cli, (client) => openHistoryOf(client, settings))
  } catch (error) {
    const file = storeFileOf(settings)
    const down = error instanceof HysasError && (error.code === 'NO_REDIS' || error.code === 'NO_REDIS_KNOWN')
    if (down && existsSync(file)) return open(settings, file)
    throw error
  }
}

/** The same, where a client is at hand. */
export async function openHistoryOf(client: Client, settings: Settings): Promise<EventStore> {
  if (settings.databaseUrl) return open(settings, '')
  const place = await client.storeLocation()
  if (place?.kind === 'mysql') {
    const reason = 'it is a database server, and HYSAS_DATABASE_URL, which has the password, is not set here'
    throw new HysasError('DATABASE', { database: `on ${place.host ?? 'another host'}`, reason })
  }
  if (place?.host && place.host !== hostname())
    throw new HysasError('SECOND_HOST_SQLITE', { owner: place.host, host: hostname() })
  const file = place?.path ?? storeFileOf(settings)
  // Opening would make an empty one, in a place where the fleet's is not.
  if (!existsSync(file)) throw new HysasError('DATABASE', { database: file, reason: 'it is not there yet' })
  return open(settings, file)
}

async function open(settings: Settings, sqliteFile: string): Promise<EventStore> {
  const [{ openStore }, url] = await Promise.all([import('../store/store.js'), import('../store/url.js')])
  return openStore(storeOptions(settings, sqliteFile, url))
}

/** What `openStore` takes: HYSAS_DATABASE_URL may name a server or an SQLite file. */
export function storeOptions(
  { databaseUrl, namespace }: Settings,
  sqliteFile: string,
  { isMysqlUrl, sqliteFileOf }: typeof import('../store/url.js'),
): StoreOptions {
  const owner = { namespace, claims: false }
  if (databaseUrl === undefined) return { sqliteFile, owner }
  return isMysqlUrl(databaseUrl)
    ? { url: databaseUrl, sqliteFile, owner }
    : { sqliteFile: sqliteFileOf(databaseUrl), owner }
}
