/**
 * What sshd says that matters here. `times`: how often, which a "message repeated" line tells.
 * - `failure`: one wrong password.
 * - `closed`: a connection that named a user and ended without one; a try only where no `failure` came before on it.
 * - `accepted`: a login.
 * - `suspicion`: sshd itself found the address odd; no try.
 */
export interface SshdMessage {
  kind: 'failure' | 'closed' | 'accepted' | 'suspicion'
  source: string
  user: string
  /** No account of that name. */
  unknownUser: boolean
  method: string
  times: number
}

/**
 * Reads a message of OpenSSH's sshd (5 to 10). Undefined where it says nothing of a try: the many lines that tell one
 * try a second time ("Invalid user", pam_unix, "input_userauth_request") are among these, or each would count twice.
 * User names are chosen by the attacker and may look like anything, so each pattern is held to the line's end.
 */
export function parseSshd(message: string): SshdMessage | undefined {
  const repeated = REPEATED.exec(message)
  if (!repeated) return parseOnce(message)
  const inner = parseOnce(message.slice(repeated[0].length).replace(/\]$/, ''))
  return inner && { ...inner, times: Number(repeated[1]) }
}

/** `last message repeated 3 times`, as BSD's and old Linux' syslogd write it: how often. */
export function repeatsLast(message: string): number | undefined {
  const times = LAST_REPEATED.exec(message)?.[1]
  return times === undefined ? undefined : Number(times)
}

function parseOnce(message: string): SshdMessage | undefined {
  for (const { kind, pattern } of PATTERNS) {
    const groups = pattern.exec(message)?.groups
    if (groups) return read(kind, groups)
  }
  return undefined
}

function read(kind: SshdMessage['kind'], groups: Record<string, string | undefined>): SshdMessage | undefined {
  const method = groups.method ?? ''
  // `none` only asks what is on offer; trying one's keys in turn is what every honest client does.
  if (kind === 'failure' && (method === 'none' || method === 'publickey' || method === 'hostbased')) return undefined
  const unknownUser = groups.invalid !== undefined
  return { kind, source: plainAddress(groups.source ?? ''), user: groups.user ?? '', unknownUser, method, times: 1 }
}

/** An IPv4 address in IPv6's clothes is the same address; letters of an address are small. */
function plainAddress(source: string): string {
  return source.toLowerCase().replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, '')
}

const REPEATED = /^message repeated (\d{1,6}) times: \[ ?/
const LAST_REPEATED = /^last message (?:buffered|repeated) (\d{1,6}) times?$/

const PATTERNS: readonly { kind: SshdMessage['kind']; pattern: RegExp }[] = [
  {
    kind: 'failure',
    pattern:
      /^Failed (?<method>\S+) for (?<invalid>(?:invalid|illegal) user )?(?<user>.*) from (?<source>\S+) port \d+(?: ssh\d?)?(?:: \S+ \S+)?$/,
  },
  {
    kind: 'accepted',
    pattern:
      /^Accepted (?<method>\S+) for (?<user>.*) from (?<source>\S+) port \d+(?: ssh\d?)?(?:: \S+ \S+(?: ID .*)?)?$/,
  },
  {
    kind: 'closed',
    pattern:
      /^(?:Connection (?:closed|reset) by|Disconnected from) (?:authenticating|(?<invalid>invalid)) user (?<user>.*) (?<source>\S+) port \d+(?: \[preauth\])?$/,
  },
  {
    kind: 'closed',
    pattern:
      /^(?:error: )?maximum authentication attempts exceeded for (?<invalid>invalid user )?(?<user>.*) from (?<source>\S+) port \d+(?: ssh\d?)?(?: \[preauth\])?$/,
  },
  {
    kind: 'closed',
    pattern:
      /^Disconnecting (?:authenticating|(?<invalid>invalid)) user (?<user>.*) (?<source>\S+) port \d+: Too many authentication failures(?: \[preauth\])?$/,
  },
  {
    kind: 'suspicion',
    pattern:
      /^reverse mapping checking getaddrinfo for \S* ?\[?(?<source>[^\s\]]+)\]? failed(?: - POSSIBLE BREAK-IN ATTEMPT!)?\.?$/,
  },
  {
    kind: 'suspicion',
    pattern:
      /^Address (?<source>\S+) maps to \S+, but this does not map back to the address(?: - POSSIBLE BREAK-IN ATTEMPT!)?\.?$/,
  },
]
