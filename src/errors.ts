/**
 * The one catalogue of everything that HySAS refuses or fails at. Each entry has a code that never changes, a sentence
 * and a remedy; `{name}` is filled from the error's details. `docs/errors.md` is tested against it.
 *
 * `exit`: 1 the thing failed, 2 it was asked for wrongly. `status`: what the HTTP API answers.
 */
export const CATALOGUE = {
  // misuse: what was asked for can't be understood or is not allowed
  USAGE: { exit: 2, status: 400, text: '{reason}', remedy: 'See `hysas --help` or `hysas <command> --help`.' },
  BAD_NICKNAME: {
    exit: 2,
    status: 400,
    text: 'The nickname {given} is not allowed.',
    remedy: 'A nickname begins with a letter and has at most 63 letters, digits, "_" or "-".',
  },
  BAD_TYPE: {
    exit: 2,
    status: 400,
    text: 'The type {given} is not allowed.',
    remedy:
      'A type is the name of a processor file without its ending: a capital, then letters and digits; "Command" is reserved.',
  },
  BAD_PARAMS: {
    exit: 2,
    status: 400,
    text: 'The parameters do not fit {type}: {problems}.',
    remedy:
      'Set them by --set key=value, --config FILE or config/<nickname>.json; `hysas types --json` shows what {type} takes.',
  },
  BAD_CONFIG_FILE: {
    exit: 2,
    status: 400,
    text: 'The file {file} can not be read as parameters: {reason}.',
    remedy: 'It holds one JSON object, for example {"everyMs": 500}.',
  },
  BAD_PACKAGE_FILE: {
    exit: 2,
    status: 400,
    text: 'The file {file} can not be completed: {reason}.',
    remedy: 'Mend it, or remove it and `hysas init` writes one.',
  },
  BAD_SETTING: {
    exit: 2,
    status: 500,
    text: 'The setting {key} from {source} is not usable: {reason}.',
    remedy: 'docs/configuration.md lists every setting with its values.',
  },
  BAD_MESSAGE: {
    exit: 2,
    status: 400,
    text: 'The message is not a command: {reason}.',
    remedy:
      'Send JSON as docs/channels.md describes, for example {"type":"sys","operation_name":"start_worker","kwargs":{"worker_name":"Demo","nickname":"DemoName"}}.',
  },
  BAD_ARGS: {
    exit: 2,
    status: 400,
    text: 'The arguments do not fit the operation {operation}: {problems}.',
    remedy: '`hysas types --json` shows the operations of each type and what they take.',
  },
  UNKNOWN_TYPE: {
    exit: 1,
    status: 404,
    text: 'No live node has a processor {type}.{nearest}',
    remedy:
      "`hysas types` lists what there is; a file {type}.ts in a node's processors folder becomes a type within two seconds.",
  },
  BROKEN_TYPE: {
    exit: 1,
    status: 409,
    text: 'The processor {type} can not be loaded: {reason}.',
    remedy: 'Mend its file; it is read again as soon as it is saved. `hysas types` shows the error.',
  },
  UNKNOWN_WORKER: {
    exit: 1,
    status: 404,
    text: 'There is no worker {nickname}.{nearest}',
    remedy: '`hysas list` shows all workers.',
  },
  NOT_RUNNING: {
    exit: 1,
    status: 409,
    text: 'The worker {nickname} is not running: it is {state}.',
    remedy: '`hysas show {nickname}` tells why; `hysas start <type> {nickname}` starts it.',
  },
  UNKNOWN_OPERATION: {
    exit: 1,
    status: 404,
    text: 'The worker {nickname} has no operation {operation}.{nearest}',
    remedy: '`hysas types --json` shows the operations of each type.',
  },
  OPERATION_FAILED: {
    exit: 1,
    status: 500,
    text: 'The operation {operation} of {nickname} failed: {reason}.',
    remedy: '`hysas logs {nickname}` has the stack.',
  },
  NO_ANSWER: {
    exit: 1,
    status: 504,
    text: 'The worker {nickname} did not answer {operation} within {seconds} s.',
    remedy: '`hysas show {nickname}` tells whether it is busy; --timeout waits longer.',
  },
  NAME_TAKEN: {
    exit: 1,
    status: 409,
    text: 'The name {nickname} is taken: a {type} of that name {holder}.',
    remedy: 'Choose another nickname, or `hysas stop {nickname}` first.',
  },
  SUPERSEDED: {
    exit: 1,
    status: 409,
    text: 'A later command for {nickname} has been accepted already.',
    remedy: '`hysas show {nickname}` shows what it is now.',
  },
  EXPIRED: {
    exit: 1,
    status: 408,
    text: 'The command {command} came too late: its time had ended {agoSeconds} s before.',
    remedy: 'Send it again.',
  },
  TIMEOUT: {
    exit: 1,
    status: 504,
    text: '{what} did not happen within {seconds} s.',
    remedy: '{hint}',
  },
  INTERRUPTED: {
    exit: 1,
    status: 500,
    text: 'It was interrupted by {signal} before it was done.',
    remedy: '`hysas list` shows what came of it.',
  },
  NO_NODE: {
    exit: 1,
    status: 503,
    text: 'No node is up on {redis}, so nothing can carry out this command; it was withdrawn.',
    remedy: 'Start one with `hysas up`, or leave the command queued with --no-wait.',
  },
  START_FAILED: {
    exit: 1,
    status: 500,
    text: 'The first run of {nickname} failed: {reason}.',
    remedy: '{next}',
  },
  PROTECTED_WORKER: {
    exit: 1,
    status: 409,
    text: 'The worker {nickname} belongs to the system and can not be stopped.',
    remedy: '`hysas restart {nickname}` gives it a new run; `hysas shutdown` ends the nodes.',
  },
  UNAUTHORIZED: {
    exit: 1,
    status: 401,
    text: 'A token is needed.',
    remedy: 'Open the link that `hysas up` or `hysas link` prints, or send the header Authorization: Bearer <token>.',
  },
  FORBIDDEN: {
    exit: 1,
    status: 403,
    text: 'That is not allowed: {reason}.',
    remedy: 'See docs/http.md, "Who may do what".',
  },
  NOT_FOUND: {
    exit: 1,
    status: 404,
    text: 'There is nothing at {path}.',
    remedy: '/api/v1/openapi.json lists all routes.',
  },
  TOO_LARGE: {
    exit: 1,
    status: 413,
    text: 'The {what} has {bytes} bytes; at most {limit} are allowed.',
    remedy: 'Send less at once, or keep the data elsewhere and send where it is.',
  },
  BAD_REQUEST: {
    exit: 1,
    status: 400,
    text: 'The request can not be understood: {reason}.',
    remedy: '/api/v1/openapi.json describes every route and what it takes.',
  },
  RATE_LIMITED: { exit: 1, status: 429, text: 'Too many requests.', remedy: 'Wait {seconds} s and try again.' },
  // what is around us
  NO_REDIS: {
    exit: 1,
    status: 503,
    text: 'No Redis answers at {redis} ({source}): {reason}.',
    remedy:
      'Start one, name another by HYSAS_REDIS_URL, or run `hysas up` in a folder without that setting: it brings its own.',
  },
  NO_REDIS_KNOWN: {
    exit: 1,
    status: 503,
    text: 'No Redis is configured, and no running node was found in {folder} or above.',
    remedy: 'Run `hysas up` here first (it brings its own Redis), or set HYSAS_REDIS_URL.',
  },
  NO_REDIS_SERVER: {
    exit: 1,
    status: 503,
    text: 'No Redis is configured, and neither redis-server nor valkey-server is on PATH.',
    remedy: 'Install one (Debian, Ubuntu: apt-get install redis-server), or set HYSAS_REDIS_URL.',
  },
  EMBEDDED_ELSEWHERE: {
    exit: 1,
    status: 503,
    text: 'The private Redis of this folder was started on another host, {host}.',
    remedy:
      'Set HYSAS_REDIS_URL to one Redis for all hosts. If nothing of HySAS runs on {host} any more, remove {file}.',
  },
  REDIS_AUTH: {
    exit: 1,
    status: 503,
    text: 'Redis at {redis} refuses the user or password: {reason}.',
    remedy: 'Correct the user and password in HYSAS_REDIS_URL (redis://user:password@host:port).',
  },
  REDIS_OLD: {
    exit: 1,
    status: 503,
    text: 'Redis at {redis} is version {version}; at least {wanted} is needed.',
    remedy: 'Upgrade it.',
  },
  REDIS_EVICTS: {
    exit: 1,
    status: 503,
    text: 'Redis at {redis} may throw data away when full (maxmemory-policy {policy}).',
    remedy:
      'Set `maxmemory-policy noeviction` in its configuration (redis-cli CONFIG SET maxmemory-policy noeviction).',
  },
  REDIS_ERROR: {
    exit: 1,
    status: 503,
    text: 'Redis at {redis} answered with an error: {reason}.',
    remedy: '`hysas doctor` checks the connection, version, memory and policy.',
  },
  DATABASE: {
    exit: 1,
    status: 503,
    text: 'The event store {database} can not be used: {reason}.',
    remedy: 'Check HYSAS_DATABASE_URL and that the server runs; `hysas doctor` tries it.',
  },
  UNKNOWN_DATABASE: {
    exit: 1,
    status: 500,
    text: 'There is no database {name} in the configuration.{known}',
    remedy: 'Add it to hysas.config.json: {"databases": {"{name}": "mysql://user:password@host/name"}}.',
  },
  SECOND_HOST_SQLITE: {
    exit: 1,
    status: 503,
    text: 'The fleet keeps its events in an SQLite file on the host {owner}, which this host ({host}) can not reach.',
    remedy: 'Set HYSAS_DATABASE_URL to one MySQL or MariaDB on all nodes, the first included.',
  },
  OTHER_DATABASE: {
    exit: 1,
    status: 503,
    text: 'The nodes of this fleet keep its events in {theirs}; this node would keep them in {ours}.',
    remedy:
      'Set HYSAS_DATABASE_URL as on the other nodes. To move the fleet to another database, `hysas shutdown` first.',
  },
  OTHER_FLEETS_STORE: {
    exit: 1,
    status: 503,
    text: 'The event store {database} belongs to the fleet of the namespace {theirs}, not to that of {ours}.',
    remedy:
      'Set HYSAS_DATABASE_URL to a database of its own for each fleet, or HYSAS_NAMESPACE as on its nodes. If {theirs} is gone for good, `DELETE FROM hysas_fleet` in that database frees it.',
  },
  INCOMPATIBLE: {
    exit: 1,
    status: 503,
    text: 'The fleet in this Redis follows contract version {theirs}; this node knows version {ours}.',
    remedy: 'Run the same HySAS version on all nodes, or choose another HYSAS_NAMESPACE.',
  },
  NODE_NAME_TAKEN: {
    exit: 1,
    status: 409,
    text: 'A node named {name} is up already ({host}, process {pid}).',
    remedy: 'Choose another by --name or HYSAS_NODE.',
  },
  OPEN_HOST: {
    exit: 2,
    status: 500,
    text: 'The page would be open to other machines on {host}, but no token is configured.',
    remedy: 'Set HYSAS_TOKEN to a long random text, or leave the host at 127.0.0.1.',
  },
  PORT: {
    exit: 1,
    status: 500,
    text: 'No port could be opened on {host}: {reason}.',
    remedy: 'Choose another by --port or HYSAS_PORT, or use --no-web.',
  },
  EXISTS: {
    exit: 1,
    status: 409,
    text: '{path} exists already.',
    remedy: 'Choose another name or folder, or remove it first.',
  },
  NO_PROCESSOR: {
    exit: 1,
    status: 404,
    text: 'There is no processor {type} in {folders}.{nearest}',
    remedy: '`hysas new {type}` writes one, with its test.',
  },
  FOREIGN_WORKER: {
    exit: 1,
    status: 409,
    text: 'The worker {nickname} is not ours: a {type} of the Python HySAS on the same Redis.',
    remedy: 'Command it from its own console; here it is only listed and judged.',
  },
  // inside a worker
  STALE_RUN: {
    exit: 1,
    status: 409,
    text: 'This run of {nickname} (epoch {epoch}) is not the current one any more.',
    remedy: 'Nothing to do: a later run has taken over, and this one ends.',
  },
  MESSAGE_TOO_LARGE: {
    exit: 1,
    status: 413,
    text: 'A message of {bytes} bytes for {channel} was refused; at most {limit} are allowed.',
    remedy: 'Send less at once, or store the data elsewhere and publish where it is.',
  },
  PUBLISH_BACKLOG: {
    exit: 1,
    status: 503,
    text: 'Redis does not take messages as fast as they are published: {bytes} bytes wait, and one for {channel} was refused.',
    remedy: 'Await ctx.drained(), or what ctx.publish returns; then the worker is as fast as Redis, and no faster.',
  },
  NOT_SERIALIZABLE: {
    exit: 1,
    status: 400,
    text: 'What was published to {channel} can not be written as JSON: {reason}.',
    remedy: 'Publish plain data, a string or a Buffer.',
  },
  BAD_PROCESSOR: {
    exit: 1,
    status: 500,
    text: 'The file {file} is not a processor: {reason}.',
    remedy:
      'Its default export is defineProcessor({...}) or a function (job, token, signal); docs/processors.md shows both.',
  },
  PROCESSOR_FAILED: {
    exit: 1,
    status: 500,
    text: 'The processor {type} failed: {reason}.',
    remedy: 'Mend {file}; the stack tells where it happened.',
  },
  NO_REDIS_GIVEN: {
    exit: 1,
    status: 500,
    text: 'The processor {type} uses ctx.redis, and this run without a fleet has none.',
    remedy:
      '`hysas run {type} --redis` gives it the Redis of the fleet; in a test createHarness(processor, { redis }) does.',
  },
  USER_DATABASE: {
    exit: 1,
    status: 503,
    text: 'The database {database} can not be used: {reason}.',
    remedy: 'Check its URL under "databases" in hysas.config.json, and that its server runs.',
  },
  FOREIGN_TABLE: {
    exit: 1,
    status: 500,
    text: 'The table {table} of the database {database} was made by something else: {reason}.',
    remedy:
      'Name a database under "databases" that is not the event store of HySAS, or another table: `hysas restart Process --set eventTable=process_events`.',
  },
  INTERNAL: {
    exit: 1,
    status: 500,
    text: 'Something unexpected went wrong: {reason}.',
    remedy: 'This is a defect of HySAS; please report it with the log.',
  },
} as const

export type ErrorCode = keyof typeof CATALOGUE
export type ErrorDetails = Record<string, string | number | undefined>

/** A failure that has a code in the catalogue. `message` is the filled sentence, `remedy` what to do about it. */
export class HysasError extends Error {
  readonly code: ErrorCode
  readonly remedy: string
  readonly details: ErrorDetails

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(fill(CATALOGUE[code].text, details), options)
    this.name = 'HysasError'
    this.code = code
    this.remedy = fill(CATALOGUE[code].remedy, details)
    this.details = details
  }

  get exit(): number {
    return CATALOGUE[this.code].exit
  }

  get status(): number {
    return CATALOGUE[this.code].status
  }

  toJSON(): { code: ErrorCode; message: string; remedy: string; details: ErrorDetails } {
    return { code: this.code, message: this.message, remedy: this.remedy, details: this.details }
  }

  /** The error that `toJSON` of another process wrote. An unknown code becomes INTERNAL. */
  static fromJSON(json: unknown): HysasError {
    const { code, details, message } = (json ?? {}) as { code?: string; details?: ErrorDetails; message?: string }
    if (code !== undefined && Object.hasOwn(CATALOGUE, code)) return new HysasError(code as ErrorCode, details ?? {})
    return new HysasError('INTERNAL', { reason: message ?? String(json) })
  }
}

/** Whatever was thrown, as an error of the catalogue: unknown ones become INTERNAL and keep their cause. */
export function toHysasError(thrown: unknown): HysasError {
  return thrown instanceof HysasError
    ? thrown
    : new HysasError('INTERNAL', { reason: messageOf(thrown) }, { cause: thrown })
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** Up to three of `known` that look like `given`, as ` Did you mean "a" or "b"?`, or the empty string. */
export function nearest(given: string, known: Iterable<string>): string {
  const limit = Math.max(2, Math.floor(given.length / 2))
  const close = [...known]
    .map((name) => ({ name, distance: editDistance(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= limit || name.toLowerCase().startsWith(given.toLowerCase()))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => `"${name}"`)
  return close.length ? ` Did you mean ${close.join(' or ')}?` : ''
}

function fill(text: string, details: ErrorDetails): string {
  const filled = text.replace(/\{(\w+)\}/g, (whole, key: string) =>
    Object.hasOwn(details, key) ? String(details[key] ?? '') : whole,
  )
  // a reason that ends in a full stop of its own must not give two
  return filled.replace(/(?<=[^.\s/"'])\.\.(?=\s|$)/g, '.')
}

/** Levenshtein's distance, one row at a time. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
