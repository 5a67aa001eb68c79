import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PoolOptions } from 'mysql2'

export const isMysqlUrl = (url: string): boolean => /^(mysql|mariadb):\/\//i.test(url)

/**
 * What a `mysql://user:password@host:port/name?ssl=true` says, as options of mysql2. Understood after the `?`: `ssl`
 * (`true`: the certificate has to be of a known authority and for that host; `false`; or `insecure`: encrypted, but whoever
 * answers is believed), `socketPath`, `connectTimeout` (ms),
 * `timezone`, `charset`, `dateStrings`.
 * @throws Error in whose text there is no password
 */
export function parseMysqlUrl(url: string): PoolOptions & { database: string } {
  const { hostname, port, username, password, pathname, searchParams } = urlOf(url)
  const database = decodeURIComponent(pathname.slice(1))
  if (!database || database.includes('/')) throw new Error('the URL has to end in the name of one database')
  const options: PoolOptions & { database: string } = {
    host: hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1',
    port: Number(port || 3306),
    database,
    ...(username ? { user: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
  }
  for (const [name, value] of searchParams) setOption(options, name, value)
  if (searchParams.get('ssl') === 'true' && isIP(options.host ?? '')) {
    throw new Error('ssl=true needs the name of the host, since its certificate is compared with it')
  }
  return options
}

/** The URL or file as it may be shown: without password, and without what follows the `?`. */
export function shownUrl(url: string): string {
  if (!/^\w+:\/\//.test(url) || /^(file|sqlite):/i.test(url)) return url
  try {
    const { protocol, username, host, pathname } = new URL(url)
    return `${protocol}//${username ? `${username}@` : ''}${host}${pathname}`
  } catch {
    return `${url.slice(0, url.indexOf(':'))}://…`
  }
}

/**
 * The file that `file:events.db`, `file:///var/lib/x.db`, `sqlite:x.db` or a plain path means; `:memory:` stays.
 * @throws Error for the URL of anything else
 */
export function sqliteFileOf(url: string): string {
  if (/^file:\/\//i.test(url)) return fileURLToPath(url)
  const path = url.replace(/^(file|sqlite):(\/\/)?/i, '')
  if (/^\w+:\/\//.test(path)) throw new Error('its URL begins with neither mysql://, mariadb://, file: nor sqlite:')
  return path === ':memory:' ? path : resolve(path)
}

function urlOf(url: string): URL {
  try {
    return new URL(url)
  } catch {
    // Not as cause: Node's own error carries the whole text, password included.
    throw new Error('it is not a URL such as mysql://user:password@host:3306/name')
  }
}

function setOption(options: PoolOptions, name: string, value: string): void {
  if (name === 'ssl') {
    if (!['true', 'false', 'insecure'].includes(value)) throw new Error('ssl may be true, false or insecure')
    // without verifyIdentity the driver takes any certificate of a known authority, of whatever host
    if (value === 'true') options.ssl = { rejectUnauthorized: true, verifyIdentity: true }
    if (value === 'insecure') options.ssl = { rejectUnauthorized: false }
  } else if (name === 'connectTimeout') options.connectTimeout = Number(value) || 5000
  else if (name === 'dateStrings') options.dateStrings = value === 'true'
  else if (name === 'socketPath' || name === 'timezone' || name === 'charset') options[name] = value
  else throw new Error(`the option "${name}" of the URL is not known`)
}
