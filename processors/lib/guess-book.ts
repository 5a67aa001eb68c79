import { BoundedMap } from './bounded-map.js'
import { addFailures, type Burst, CLOCK_SET_BACK, type Guesser, isDense, newBurst } from './guess-burst.js'
import type { SshdMessage } from './sshd-message.js'

export interface GuessRules {
  /** Failures within the window that make an alert. */
  threshold: number
  windowSeconds: number
  /** Silence that ends a burst. */
  quietSeconds: number
  /** Addresses that are kept in mind. */
  maxAddresses: number
}

export interface Finding {
  what: 'guessing' | 'success' | 'over'
  guesser: Guesser
  burst: Burst
  /** Of a success: who logged in, and how. */
  user: string
  method: string
  at: number
}

export interface Heard {
  message: SshdMessage
  /** Unix ms that counts for the rules. */
  at: number
  /** Unix ms by the node's clock. */
  arrived: number
  host: string
  /** Of the sshd process that serves this one connection; empty where unknown. */
  pid: string
}

/** Keeps the tries of each address, and finds what is worth an alert: once for each burst. Knows no clock of its own. */
export class GuessBook {
  #guessers: BoundedMap<string, Guesser>
  /** When a try was counted on a connection: a wrong password, or its end, which sshd may tell in two lines. */
  #counted: BoundedMap<string, number>

  constructor(
    private readonly rules: GuessRules,
    kept: readonly Guesser[] = [],
  ) {
    this.#guessers = new BoundedMap(rules.maxAddresses)
    this.#counted = new BoundedMap(rules.maxAddresses)
    for (const guesser of kept) this.#guessers.set(guesser.source, guesser)
  }

  get size(): number {
    return this.#guessers.size
  }

  get evicted(): number {
    return this.#guessers.evicted
  }

  hear(heard: Heard): Finding[] {
    const { message, host, pid } = heard
    if (message.kind === 'accepted') return this.#accepted(heard)
    if (message.kind === 'suspicion') return this.#suspicion(heard)
    const connection = `${host} ${pid} ${message.source}`
    const before = this.#counted.get(connection) ?? Number.NEGATIVE_INFINITY
    if (message.kind === 'closed' && pid && Math.abs(heard.at - before) < CONNECTION_MS) return []
    if (pid) this.#counted.set(connection, heard.at)
    return this.#failure(heard)
  }

  /** Bursts that have been silent for long enough by the node's clock, each told once. */
  sweep(now: number): Finding[] {
    const quiet = this.rules.quietSeconds * 1000
    return this.#guessers
      .values()
      .filter(({ burst, arrived }) => burst.alerted && !burst.told && now - arrived > quiet)
      .map((guesser) => this.#over(guesser))
  }

  /** Most failures first. */
  worst(limit: number): Guesser[] {
    return this.#guessers
      .values()
      .filter(({ failures }) => failures > 0)
      .sort((a, b) => b.failures - a.failures)
      .slice(0, limit)
  }

  forget(source: string): boolean {
    return this.#guessers.delete(source)
  }

  /** What to give to the next book, at most so many: those heard of last. */
  toKeep(most: number): Guesser[] {
    return this.#guessers.values().slice(-most)
  }

  #failure({ message, at, arrived, host }: Heard): Finding[] {
    const { threshold, windowSeconds } = this.rules
    const { guesser, ended } = this.#meet(message.source, at, arrived)
    const { burst } = guesser
    const { user, unknownUser, times } = message
    addFailures(burst, { user, unknownUser, host, times }, at, threshold)
    guesser.failures += times
    if (burst.alerted || !isDense(burst, threshold, windowSeconds * 1000)) return ended
    burst.alerted = true
    guesser.alerts++
    return [...ended, { what: 'guessing', guesser, burst, user: '', method: '', at }]
  }

  /** A login is worth an alert only where guessing went before it. */
  #accepted({ message, at, arrived }: Heard): Finding[] {
    if (!this.#guessers.get(message.source)) return []
    const { guesser, ended } = this.#meet(message.source, at, arrived)
    const { burst } = guesser
    if (burst.failures < this.rules.threshold || burst.successAlerted) return ended
    burst.successAlerted = true
    guesser.alerts++
    return [...ended, { what: 'success', guesser, burst, user: message.user, method: message.method, at }]
  }

  #suspicion({ message, at, arrived }: Heard): Finding[] {
    const { guesser, ended } = this.#meet(message.source, at, arrived)
    guesser.burst.suspicious = true
    return ended
  }

  /** The address, in the burst that this time belongs to. Lines that come late belong to the burst there is. */
  #meet(source: string, at: number, arrived: number): { guesser: Guesser; ended: Finding[] } {
    const guesser = this.#guessers.get(source) ?? this.#guessers.set(source, newGuesser(source, at, arrived))
    let ended: Finding[] = []
    if (at - guesser.burst.end > this.rules.quietSeconds * 1000) {
      if (guesser.burst.alerted && !guesser.burst.told) ended = [this.#over(guesser)]
      guesser.burst = newBurst(at)
      guesser.bursts++
    }
    const { burst } = guesser
    burst.start = Math.min(burst.start, at)
    burst.end = at < burst.end - CLOCK_SET_BACK ? at : Math.max(burst.end, at)
    guesser.firstSeen = Math.min(guesser.firstSeen, at)
    guesser.lastSeen = burst.end
    guesser.arrived = arrived
    return { guesser, ended }
  }

  #over(guesser: Guesser): Finding {
    guesser.burst.told = true
    return { what: 'over', guesser, burst: guesser.burst, user: '', method: '', at: guesser.burst.end }
  }
}

/** Longer than sshd waits for a login (LoginGraceTime), and shorter than it takes until a process id comes again. */
const CONNECTION_MS = 600_000

function newGuesser(source: string, at: number, arrived: number): Guesser {
  const counts = { failures: 0, bursts: 1, alerts: 0 }
  return { source, ...counts, firstSeen: at, lastSeen: at, arrived, burst: newBurst(at) }
}
