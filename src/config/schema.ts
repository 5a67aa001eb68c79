import * as z from 'zod'
import { NICKNAME } from '../redis/names.js'
import { basePathCheck, isHostName, isProxy, listCheck } from './reach.js'
import type { Settings } from './settings.js'

export type SettingKey = Exclude<keyof Settings, 'redisSource'>

/** One row of the table of settings. From it come `resolve`, the flags of `hysas up` and docs/configuration.md. */
export interface SettingRow {
  key: SettingKey
  /** Environment variables, the first one that is set wins. */
  env: readonly string[]
  /** Flag of `hysas up`, as the help shows it. */
  flag?: string
  /** What holds where nobody says anything; for people. */
  default: string
  /** Reads a value of a flag, a variable (always text) or the file. The text is the reason that the user sees. */
  check: z.ZodType
  description: string
  /** Paths in it belong to the folder of their source: the file's folder, else the working folder. */
  paths?: 'folders' | 'databases' | 'folder'
}

const redisUrl = url(['redis:', 'rediss:'], 'a URL such as redis://user:password@host:6379')
const databaseUrl = text('a URL such as mysql://user:password@host/name, or the path of an SQLite file').refine(
  (value) => !value.includes('://') || /^(mysql|mariadb|file|sqlite):\/\/./.test(value),
  wanted('a URL that begins with mysql:// or file:, or the path of an SQLite file'),
)
const token = text('a text').regex(/^[\x21-\x7e]{16,}$/, wanted('at least 16 printable characters without spaces'))
const wholeNumber = (least: number, most: number) =>
  z
    .union(
      [z.number(), z.string().regex(/^\d+$/, wanted(`a whole number from ${least} to ${most}`))],
      wanted(`a whole number from ${least} to ${most}`),
    )
    .transform(Number)
    .refine(
      (value) => Number.isInteger(value) && value >= least && value <= most,
      wanted(`a whole number from ${least} to ${most}`),
    )

export const SETTINGS: readonly SettingRow[] = [
  {
    key: 'redisUrl',
    env: ['HYSAS_REDIS_URL', 'REDIS_URL'],
    default: 'a private Redis that `hysas up` starts and keeps in `.hysas/redis`',
    check: redisUrl,
    description: 'The Redis of the fleet: `redis://user:password@host:6379/0`, or `rediss://` for TLS.',
  },
  {
    key: 'databaseUrl',
    env: ['HYSAS_DATABASE_URL'],
    default: 'SQLite, in `.hysas/hysas.db`',
    check: databaseUrl,
    description:
      'The event store: `mysql://user:password@host/name` (MySQL or MariaDB), or the path of an SQLite file.',
    paths: 'databases',
  },
  {
    key: 'token',
    env: ['HYSAS_TOKEN'],
    default: 'made at the first start and kept in `.hysas`',
    check: token,
    description: "The operator's token of the page and the API: at least 16 characters.",
  },
  {
    key: 'viewerToken',
    env: ['HYSAS_VIEWER_TOKEN'],
    default: 'none',
    check: token,
    description: 'A second token that may look at everything and change nothing.',
  },
  {
    key: 'commandToken',
    env: ['HYSAS_COMMAND_TOKEN'],
    default: 'none: whoever may publish to the channel may command',
    check: token,
    description: 'What a raw message on the channel `HySAS.Command` must carry as `token`.',
  },
  {
    key: 'alertUrl',
    env: ['HYSAS_ALERT_URL'],
    default: 'none: nobody is told',
    check: url(['http:', 'https:'], 'a URL such as https://alerts.example.org/hysas'),
    description: 'Where one POST goes for a problem of the fleet, and one for its end. docs/operating.md describes it.',
  },
  {
    key: 'host',
    env: ['HYSAS_HOST'],
    flag: '--host <address>',
    default: '127.0.0.1',
    check: text('an address or a host name').regex(/^[A-Za-z0-9.:_-]+$/, wanted('an address or a host name')),
    description: 'Address on which the page listens. Other than loopback needs a token.',
  },
  {
    key: 'port',
    env: ['HYSAS_PORT'],
    flag: '--port <number>',
    default: '3200, or the next free one',
    check: wholeNumber(0, 65_535),
    description: 'Port of the page; 0 is any free one.',
  },
  {
    key: 'web',
    env: ['HYSAS_WEB'],
    flag: '--no-web',
    default: 'true',
    check: z
      .union([z.boolean(), z.enum(['true', 'false', '1', '0', 'yes', 'no', 'on', 'off'])], wanted('true or false'))
      .transform((value) => [true, 'true', '1', 'yes', 'on'].includes(value)),
    description: 'Whether this node serves the page and the API.',
  },
  {
    key: 'basePath',
    env: ['HYSAS_BASE_PATH'],
    default: '`/`',
    check: basePathCheck(wanted('a path such as /hysas')),
    description: 'Path under which a proxy shows the page, such as `/hysas`; the proxy passes it on unchanged.',
  },
  {
    key: 'trustProxy',
    env: ['HYSAS_TRUST_PROXY'],
    default: 'none',
    check: listCheck(isProxy, wanted('addresses or networks such as 127.0.0.1, 10.0.0.0/8 or loopback')),
    description:
      'Addresses or networks of proxies whose `X-Forwarded-For`, `-Host` and `-Proto` are believed: `loopback`, `10.0.0.0/8`. In the variable separated by commas.',
  },
  {
    key: 'allowedHosts',
    env: ['HYSAS_ALLOWED_HOSTS'],
    default: 'none',
    check: listCheck(isHostName, wanted('host names without ports, such as fleet.example.org')),
    description:
      'Further names by which the page may be asked for, such as `fleet.example.org`. In the variable separated by commas.',
  },
  {
    key: 'keepDays',
    env: ['HYSAS_KEEP_DAYS'],
    default: '90',
    check: wholeNumber(0, 36_500),
    description: 'Days after which events are removed from the event store; 0 keeps them for ever.',
  },
  {
    key: 'namespace',
    env: ['HYSAS_NAMESPACE'],
    default: 'HySAS',
    check: text('a name').regex(NICKNAME, wanted('a letter, then at most 62 letters, digits, "_" or "-"')),
    description:
      'First part of every key and channel: two fleets of different namespaces share a Redis and never meet.',
  },
  {
    key: 'processors',
    env: ['HYSAS_PROCESSORS'],
    flag: '--processors <folder>',
    default: '`processors` in the working folder; the built-in ones always come last',
    check: z.array(text('a folder'), wanted('one folder or a list of folders')).min(1, wanted('at least one folder')),
    description:
      'Folders with processor files; an earlier one shadows a later one. In the variable separated as in PATH.',
    paths: 'folders',
  },
  {
    key: 'node',
    env: ['HYSAS_NODE'],
    flag: '--name <name>',
    default: "the host's name",
    check: text('a name').regex(NICKNAME, wanted('a letter, then at most 62 letters, digits, "_" or "-"')),
    description: 'Name of this node, unique in the fleet; a default that is taken gets `-2`, `-3` and so on.',
  },
  {
    key: 'capacity',
    env: ['HYSAS_CAPACITY'],
    flag: '--capacity <number>',
    default: '1000',
    check: wholeNumber(1, 1_000_000),
    description: 'Most workers that this node hosts.',
  },
  {
    key: 'databases',
    env: [],
    default: 'none',
    check: z.record(text('a name'), databaseUrl, wanted('an object of names and URLs')),
    description: 'What `ctx.database(name)` opens: names and URLs. `raw` and `event` start the worker `Process`.',
    paths: 'databases',
  },
  {
    key: 'dataDir',
    env: ['HYSAS_DATA_DIR'],
    default: '`.hysas` in the working folder',
    check: text('a folder'),
    description: 'Folder of everything that HySAS keeps on disk: Redis data, SQLite, logs, tokens.',
    paths: 'folder',
  },
  {
    key: 'logLevel',
    env: ['HYSAS_LOG_LEVEL'],
    default: 'info',
    check: z.enum(['trace', 'debug', 'info', 'warn', 'error'], wanted('one of trace, debug, info, warn, error')),
    description: 'What workers and the node log, at least.',
  },
]

function text(what: string) {
  return z.string(wanted(what)).min(1, wanted(what))
}

function url(protocols: readonly string[], what: string) {
  return z.string(wanted(what)).refine((value) => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined
    return parsed !== undefined && protocols.includes(parsed.protocol) && parsed.hostname !== ''
  }, wanted(what))
}

function wanted(what: string) {
  return { error: `wanted is ${what}` }
}
