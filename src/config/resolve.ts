import { delimiter, dirname, isAbsolute, join, resolve as resolvePath } from 'node:path'
import { editDistance, HysasError, nearest } from '../errors.js'
import type { SettingsFile } from './file.js'
import { SETTINGS, type SettingRow } from './schema.js'
import type { Settings } from './settings.js'
import { type Surroundings, surroundingsOf } from './surroundings.js'

export interface ResolveInput {
  /** By key of `Settings`, or by the flag's own name (`--name` is `name`). Undefined: not given. */
  flags?: Record<string, unknown>
  env?: Record<string, string | undefined>
  file?: SettingsFile | undefined
  /** Absolute. */
  cwd: string
  /** What the defaults depend on; looked up by default. */
  here?: Surroundings
}

interface Found {
  value: unknown
  /** `--port`, `HYSAS_PORT` or the path of the file: what an error names. */
  source: string
  /** Folder to which relative paths belong. */
  folder: string
}

/**
 * All settings: flags before environment before file before defaults. An empty variable counts as not set.
 * @throws HysasError BAD_SETTING with the key, its source and what is wanted
 */
export function resolveSettings({ flags = {}, env = {}, file, cwd, here }: ResolveInput): Settings {
  refuseUnknown(file, env)
  const home = file ? dirname(file.path) : cwd
  const around = here ?? surroundingsOf(home)
  const found = new Map(SETTINGS.map((row) => [row.key, lookUp(row, { flags, env, file, cwd })]))
  const values = new Map(SETTINGS.map((row) => [row.key, read(row, found.get(row.key), around)]))
  const value = <T>(key: SettingRow['key'], otherwise: T) => (values.get(key) ?? otherwise) as T
  return {
    redisUrl: value('redisUrl', undefined),
    redisSource: found.get('redisUrl')?.source ?? join('.hysas', 'redis'),
    databaseUrl: value('databaseUrl', undefined),
    token: value('token', undefined),
    viewerToken: value('viewerToken', undefined),
    commandToken: value('commandToken', undefined),
    alertUrl: value('alertUrl', undefined),
    host: value('host', '127.0.0.1'),
    port: value('port', 3200),
    web: value('web', true),
    basePath: value('basePath', ''),
    trustProxy: value('trustProxy', []),
    allowedHosts: value<string[]>('allowedHosts', []).map((name) => name.toLowerCase()),
    namespace: value('namespace', 'HySAS'),
    processors: value('processors', around.processors),
    node: value('node', around.node),
    capacity: value('capacity', 1000),
    keepDays: value('keepDays', 90),
    databases: value('databases', {}),
    dataDir: value('dataDir', join(home, '.hysas')),
    logLevel: value('logLevel', 'info'),
  }
}

/** A key that nobody knows is a slip of the pen; among the variables only one that looks like one of ours. */
function refuseUnknown(file: SettingsFile | undefined, env: Record<string, string | undefined>): void {
  const keys = SETTINGS.map(({ key }) => key as string)
  for (const key of Object.keys(file?.content ?? {})) {
    if (keys.includes(key) || key === '$schema') continue
    throw new HysasError('BAD_SETTING', {
      key,
      source: file?.path,
      reason: `there is no such setting${nearest(key, keys).replace(/\?$/, '')}`,
    })
  }
  const variables = SETTINGS.flatMap((row) => row.env)
  for (const name of Object.keys(env)) {
    if (!name.startsWith('HYSAS_') || variables.includes(name)) continue
    const meant = variables.find((known) => editDistance(name, known) <= 2)
    if (!meant) continue
    throw new HysasError('BAD_SETTING', {
      key: name,
      source: 'the environment',
      reason: `there is no such variable; "${meant}" is one`,
    })
  }
}

function lookUp(row: SettingRow, { flags, env, file, cwd }: ResolveInput): Found | undefined {
  const flagName = row.flag?.match(/^--(?:no-)?([\w-]+)/)?.[1] ?? row.key
  const flag = flags?.[row.key] ?? flags?.[flagName]
  // Commander gives `web: true` where no one wrote --no-web; that must not hide the variable.
  if (flag !== undefined && !(row.flag?.startsWith('--no-') && flag === true)) {
    return { value: flag, source: `--${row.flag?.startsWith('--no-') ? 'no-' : ''}${flagName}`, folder: cwd }
  }
  const variable = row.env.find((name) => env?.[name])
  if (variable) return { value: env?.[variable], source: variable, folder: cwd }
  const inFile = file?.content[row.key]
  if (file && inFile !== undefined) return { value: inFile, source: file.path, folder: dirname(file.path) }
  return undefined
}

function read(row: SettingRow, found: Found | undefined, around: Surroundings): unknown {
  if (!found) return undefined
  const { value, source, folder } = found
  const given = row.key === 'processors' && typeof value === 'string' ? listOf(value, row.env.includes(source)) : value
  const checked = row.check(given)
  if (!('value' in checked)) {
    const at = checked.at === undefined ? '' : `at ${checked.at} `
    const reason = `${at}wanted is ${checked.wanted}${shown(row, value)}`
    throw new HysasError('BAD_SETTING', { key: row.key, source, reason })
  }
  const settled = inFolder(row, checked.value, folder)
  const lost = row.paths === 'folders' && (settled as string[]).find((path) => !around.isFolder(path))
  if (lost) throw new HysasError('BAD_SETTING', { key: row.key, source, reason: `there is no folder ${lost}` })
  return settled
}

/** In a variable several folders are separated as in PATH. */
function listOf(value: string, split: boolean): string[] {
  return split ? value.split(delimiter).filter(Boolean) : [value]
}

/** A wrong password or token is not shown. */
function shown(row: SettingRow, value: unknown): string {
  if (/token|url|databases/i.test(row.key)) return ''
  return `, given ${JSON.stringify(value)}`.slice(0, 100)
}

function inFolder(row: SettingRow, value: unknown, folder: string): unknown {
  if (row.paths === 'folder') return resolvePath(folder, value as string)
  if (row.paths === 'folders') return (value as string[]).map((one) => resolvePath(folder, one))
  if (row.paths !== 'databases') return value
  if (typeof value === 'string') return databaseIn(value, folder)
  return Object.fromEntries(
    Object.entries(value as Record<string, string>).map(([name, where]) => [name, databaseIn(where, folder)]),
  )
}

/** The file of an SQLite database, absolute; URLs stay as they are. */
function databaseIn(where: string, folder: string): string {
  if (where === ':memory:' || where.includes('://')) return where
  const path = where.replace(/^(file|sqlite):/, '')
  return isAbsolute(path) ? path : resolvePath(folder, path)
}
