/** Every setting, resolved: what `resolve` returns and the rest of the program takes. docs/configuration.md lists them. */
export interface Settings {
  /** Undefined: bring an embedded server (hysas up) or find a running one (other commands). */
  redisUrl: string | undefined
  /** Where redisUrl came from: `HYSAS_REDIS_URL`, `REDIS_URL`, `hysas.config.json`, `.hysas/redis`. */
  redisSource: string
  /** Undefined: SQLite in `<dataDir>`, as store-file.ts says. */
  databaseUrl: string | undefined
  /** Operator's token of page and API; undefined: one is made and kept in `<dataDir>`. */
  token: string | undefined
  /** A second token that may only look. */
  viewerToken: string | undefined
  /** Raw commands on the channel must carry it, where it is set. */
  commandToken: string | undefined
  /** Where problems and their ends are posted; undefined: nowhere. It may hold a secret. */
  alertUrl: string | undefined
  host: string
  port: number
  web: boolean
  /** Path under which the page is reached, without a slash at its end: `/hysas`; empty: at the root. */
  basePath: string
  /** Addresses and networks of proxies whose X-Forwarded headers are believed. */
  trustProxy: string[]
  /** Further names that the Host header may have, in lower case. */
  allowedHosts: string[]
  namespace: string
  /** Folders of processors, the user's own; the built-in ones come last. Absolute. */
  processors: string[]
  node: string
  /** Most workers that this node hosts. */
  capacity: number
  /** Days that events are kept; 0: for ever. */
  keepDays: number
  /** Names that `ctx.database(name)` knows, to URLs. */
  databases: Record<string, string>
  /** Folder of everything that HySAS keeps on disk: `<cwd>/.hysas`. Absolute. */
  dataDir: string
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error'
}
