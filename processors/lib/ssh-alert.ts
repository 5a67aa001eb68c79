import type { Finding } from './guess-book.js'

/** What stands on SshGuard's Pub channel, and, as `data`, in the event store. Times are ISO 8601. */
export interface SshAlert {
  kind: 'alert'
  rule: 'password-guessing' | 'login-after-guessing'
  /** The address. */
  source: string
  severity: 'warning' | 'error' | 'critical'
  message: string
  /** Failures of the burst so far. */
  failures: number
  /** Names tried and how often, most first; at most 20. */
  users: { user: string; failures: number }[]
  /** Failures for names that have no account. */
  unknownUsers: number
  hosts: string[]
  /** sshd itself found the address odd (reverse mapping). */
  suspicious: boolean
  firstSeen: string
  lastSeen: string
  /** Of a login after guessing. */
  user?: string
  method?: string
  /** The same for all that is said of one burst by one rule. */
  key: string
}

/** The summary of a burst that has ended: an event `burst`. */
export type SshBurst = Omit<SshAlert, 'kind' | 'rule' | 'severity'> & { kind: 'burst' }

export function alertOf(finding: Finding): SshAlert {
  return finding.what === 'success' ? loginAlert(finding) : guessingAlert(finding)
}

export function burstOf(finding: Finding): SshBurst {
  const facts = factsOf(finding)
  const tried = triedNames(finding)
  const message = `${facts.source} has stopped after ${facts.failures} wrong passwords for ${tried} in ${spanOf(finding)}`
  return { kind: 'burst', message, ...facts, key: keyOf('burst', finding) }
}

function guessingAlert(finding: Finding): SshAlert {
  const facts = factsOf(finding)
  const tried = triedNames(finding)
  const message = `Password guessing from ${facts.source}: ${facts.failures} wrong passwords for ${tried} in ${spanOf(finding)}`
  const severity = facts.suspicious ? 'error' : 'warning'
  return { kind: 'alert', rule: 'password-guessing', severity, message, ...facts, key: keyOf('guess', finding) }
}

function loginAlert(finding: Finding): SshAlert {
  const facts = factsOf(finding)
  const { user, method } = finding
  const message = `${facts.source} logged in as ${user} (${method}) after ${facts.failures} wrong passwords in ${spanOf(finding)}`
  const rule = 'login-after-guessing'
  return { kind: 'alert', rule, severity: 'critical', message, ...facts, user, method, key: keyOf('login', finding) }
}

function factsOf({ guesser, burst, at }: Finding) {
  return {
    source: guesser.source,
    failures: burst.failures,
    users: Object.entries(burst.users)
      .map(([user, failures]) => ({ user, failures }))
      .sort((a, b) => b.failures - a.failures),
    unknownUsers: burst.unknownUsers,
    hosts: burst.hosts,
    suspicious: burst.suspicious,
    firstSeen: new Date(burst.start).toISOString(),
    lastSeen: new Date(Math.max(burst.end, at)).toISOString(),
  }
}

function triedNames({ burst }: Finding): string {
  const names = Object.keys(burst.users)
  const more = burst.otherUsers > 0 ? ' and more' : ''
  if (names.length > 3) return `${names.length}${more} users`
  return `${names.map((name) => JSON.stringify(name)).join(', ')}${more}`
}

function spanOf({ burst }: Finding): string {
  const seconds = Math.round((burst.end - burst.start) / 1000)
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}

const keyOf = (what: string, { guesser, burst }: Finding) =>
  `${what}:${guesser.source.slice(0, 100)}:${new Date(burst.start).toISOString()}`
