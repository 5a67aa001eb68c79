import { NICKNAME } from '../redis/names.js'
import { type Check, listOf, recordOf, text, url, wholeNumber, yesOrNo } from './check.js'
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
  check: Check
  description: string
  /** Paths in it belong to the folder of their source: the file's folder, else the working folder. */
  paths?: 'folders' | 'databases' | 'folder'
}

const redisUrl = url(['redis:', 'rediss:'], 'a URL such as redis://user:password@host:6379')
const databaseUrl: Check = (value) => {
  const any = text('a URL such as mysql://user:password@host/name, or the path of an SQLite file')(value)
  if (!('value' in any)) return any
  return text(
    'a URL that begins with mysql:// or file:, or the path of an SQLite file',
    (given) => !given.includes('://') || /^(mysql|mariadb|file|sqlite):\/\/./.test(given),
  )(value)
}
const token = text('at least 16 printable characters without spaces', (value) => /^[\x21-\x7e]{16,}$/.test(value))
const name = text('a letter, then at most 62 letters, digits, "_" or "-"', (value) => NICKNAME.test(value))
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error']

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
    check: text('an address or a host name', (value) => /^[A-Za-z0-9.:_-]+$/.test(value)),
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
    check: yesOrNo,
    description: 'Whether this node serves the page and the API.',
  },
  {
    key: 'basePath',
    env: ['HYSAS_BASE_PATH'],
    default: '`/`',
    check: basePathCheck('a path such as /hysas'),
    description: 'Path under which a proxy shows the page, such as `/hysas`; the proxy passes it on unchanged.',
  },
  {
    key: 'trustProxy',
    env: ['HYSAS_TRUST_PROXY'],
    default: 'none',
    check: listCheck(isProxy, 'addresses or networks such as 127.0.0.1, 10.0.0.0/8 or loopback'),
    description:
      'Addresses or networks of proxies whose `X-Forwarded-For`, `-Host` and `-Proto` are believed: `loopback`, `10.0.0.0/8`. In the variable separated by commas.',
  },
  {
    key: 'allowedHosts',
    env: ['HYSAS_ALLOWED_HOSTS'],
    default: 'none',
    check: listCheck(isHostName, 'host names without ports, such as fleet.example.org'),
    description:
      'Further names by which the page may be asked for, such as `fleet.example.org`. In the variable separated by commas.',
  },
  {
    key: 'keepDays',
    env: ['HYSAS_KEEP_DAYS'],
    default: '90',
    check: wholeNumber(0, 36_500),
    description:
      'Days after which events are removed from the event store, and log files of forgotten workers; 0 keeps them for ever.',
  },
  {
    key: 'namespace',
    env: ['HYSAS_NAMESPACE'],
    default: 'HySAS',
    check: name,
    description:
      'First part of every key and channel: two fleets of different namespaces share a Redis and never meet.',
  },
  {
    key: 'processors',
    env: ['HYSAS_PROCESSORS'],
    flag: '--processors <folder>',
    default: '`processors` in the working folder; the built-in ones always come last',
    check: listOf(text('a folder'), 'one folder or a list of folders', 'at least one folder'),
    description:
      'Folders with processor files; an earlier one shadows a later one. In the variable separated as in PATH.',
    paths: 'folders',
  },
  {
    key: 'node',
    env: ['HYSAS_NODE'],
    flag: '--name <name>',
    default: "the host's name",
    check: name,
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
    check: recordOf(databaseUrl, 'an object of names and URLs'),
    description:
      'What `ctx.database(name)` opens: names and URLs. `raw` and `event` start the worker `Process`. The same on all nodes.',
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
    check: text('one of trace, debug, info, warn, error', (value) => LEVELS.includes(value)),
    description: 'What workers and the node log, at least.',
  },
]
