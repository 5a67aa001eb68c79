/**
 * What is known of one source address: in all, and in its present burst, a row of tries without a long silence.
 * Plain JSON, since it is kept over restarts. Times are Unix ms, by the log's clock unless the worker was told otherwise.
 */
export interface Guesser {
  source: string
  failures: number
  bursts: number
  alerts: number
  firstSeen: number
  lastSeen: number
  /** When it was last heard of by the node's clock. */
  arrived: number
  /** The present one, or the last. */
  burst: Burst
}

export interface Burst {
  start: number
  end: number
  failures: number
  /** Newest times of failures, rising; no more than the rule needs. */
  recent: number[]
  /** Names that were tried, and how often; the first `MOST_NAMES` of them. */
  users: Record<string, number>
  otherUsers: number
  unknownUsers: number
  /** Hosts on which it tried. */
  hosts: string[]
  /** sshd called the address odd. */
  suspicious: boolean
  alerted: boolean
  successAlerted: boolean
  /** Its end has been told. */
  told: boolean
}

export interface Try {
  user: string
  unknownUser: boolean
  host: string
  times: number
}

export function newBurst(at: number): Burst {
  return {
    ...{ start: at, end: at, failures: 0, recent: [], users: {}, otherUsers: 0, unknownUsers: 0, hosts: [] },
    ...{ suspicious: false, alerted: false, successAlerted: false, told: false },
  }
}

/** Counts failures into the burst; a line that comes late goes where it belongs. `keep`: how many times the rule needs. */
export function addFailures(burst: Burst, { user, unknownUser, host, times }: Try, at: number, keep: number): void {
  burst.failures += times
  if (unknownUser) burst.unknownUsers += times
  const name = user.slice(0, LONGEST_NAME)
  if (Object.hasOwn(burst.users, name)) burst.users[name] = (burst.users[name] ?? 0) + times
  else if (Object.keys(burst.users).length < MOST_NAMES) define(burst.users, name, times)
  else burst.otherUsers += times
  if (host && burst.hosts.length < MOST_HOSTS && !burst.hosts.includes(host)) burst.hosts.push(host)

  const last = burst.recent.at(-1)
  if (last !== undefined && at < last - CLOCK_SET_BACK) burst.recent = [] // Another clock: the old times say nothing now.
  let place = burst.recent.length
  while (place > 0 && (burst.recent[place - 1] ?? 0) > at) place--
  burst.recent.splice(place, 0, ...Array.from({ length: Math.min(times, keep) }, () => at))
  burst.recent.splice(0, burst.recent.length - keep)
}

/** Are there `threshold` failures within `windowMs`? */
export function isDense({ recent }: Burst, threshold: number, windowMs: number): boolean {
  const newest = recent.at(-1)
  const oldest = recent.at(-threshold)
  return newest !== undefined && oldest !== undefined && newest - oldest <= windowMs
}

/** The name may be `__proto__`: an attacker has chosen it. */
function define(users: Record<string, number>, name: string, value: number): void {
  Object.defineProperty(users, name, { value, writable: true, enumerable: true, configurable: true })
}

const MOST_NAMES = 20
const LONGEST_NAME = 64
const MOST_HOSTS = 10
/** ms: a clock that goes back so far was set, and does not only tell late. */
export const CLOCK_SET_BACK = 86_400_000
