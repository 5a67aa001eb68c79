import { hostname, userInfo } from 'node:os'
import type { Client, CommandOptions } from '../client.js'
import type { Settings } from '../config/settings.js'
import type { Cli } from './cli.js'
import { note } from './print.js'
import type { Reach } from './reach.js'

export interface Where extends Reach {
  settings: Settings
}

/** The Redis that a folder's node brought ends with it, and the next one is elsewhere: so long is it waited for, ms. */
const PRIVATE_MS = 10_000

/** Settings from flags, environment, file and defaults. @throws HysasError BAD_SETTING */
export async function settingsOf(cli: Cli, flags: Record<string, unknown> = {}): Promise<Settings> {
  const [{ resolveSettings }, { readSettingsFile }] = await Promise.all([
    import('../config/resolve.js'),
    import('../config/file.js'),
  ])
  return resolveSettings({ flags, env: cli.env, file: await readSettingsFile(cli.cwd), cwd: cli.cwd })
}

/**
 * Lends a client of the fleet that this folder or environment names, and closes it in the end.
 * @throws HysasError NO_REDIS_KNOWN, NO_REDIS, REDIS_AUTH, BAD_SETTING
 */
export async function withClient<T>(cli: Cli, use: (client: Client, where: Where) => Promise<T>): Promise<T> {
  const [settings, { locateRedis }, { createClient }] = await Promise.all([
    settingsOf(cli),
    import('../config/locate.js'),
    import('../client.js'),
  ])
  const { url, source } = await locateRedis(settings, cli.cwd)
  const client = await createClient({ redisUrl: url, redisSource: source, namespace: settings.namespace })
  try {
    return await use(client, { settings, url, source, patienceMs: settings.redisUrl ? undefined : PRIVATE_MS })
  } finally {
    await client.close()
  }
}

export interface WaitOptions {
  /** False: only queue it. */
  wait?: boolean
  timeout?: number
}

/** What commands tell the client: who asks, how long to wait, and when to give up. */
export function commandOptions(cli: Cli, { wait = true, timeout }: WaitOptions = {}): CommandOptions {
  return {
    by: caller(),
    noWait: !wait,
    notice: (text) => note(cli, text),
    signal: cli.interrupted(),
    ...(timeout && { timeoutMs: timeout }),
  }
}

/** Who gives a command, for the record: `cli:root@host`. */
function caller(): string {
  return `cli:${userName()}@${hostname()}`
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? '')
  }
}
