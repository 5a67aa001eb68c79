import type { Client, Sample } from '../client.js'
import type { Log } from '../contract.js'
import { pause } from './soon.js'

/** How a worker went: columns of equal length, oldest first. Null where it did not run. */
export interface HistoryView {
  /** Unix ms by the clock of the node that kept it; and what that clock says now. */
  time: number[]
  now: number
  /** Messages per second. */
  in: (number | null)[]
  out: (number | null)[]
  lost: (number | null)[]
  /** MB. */
  memory: (number | null)[]
  /** ms. */
  delay: (number | null)[]
}

/** How often the fleet is looked at, and so rarely that it takes no more than a twentieth of the time. */
const EVERY_MS = 5_000
const SHARE = 20
/** A quarter of an hour. */
const POINTS = 180
/** Further workers have no history: these take 36 MB at most. */
const WORKERS = 10_000

const COLUMNS = ['in', 'out', 'lost', 'memory', 'delay'] as const

/** Messages per second over the whole fleet. */
export interface Total {
  /** Unix ms by the node's clock. */
  time: number
  in: number
  out: number
}

/** Messages per second between its last two beats, and when the last one was seen (Unix ms of this node). */
interface Rates {
  in: number
  out: number
  lost: number
  seenAt: number
}

interface Kept {
  last: Sample
  rates: Rates
  /** `POINTS` of each column, one column after the other. */
  values: Float32Array
  /** Turn at which it was last seen. */
  turn: number
}

/**
 * The last quarter of an hour of every worker, kept by the node for all its pages. 3.6 kB a worker: 7 MB at 2,000. What it
 * costs Redis is one small read a worker every five seconds, however many pages are open.
 */
export class History {
  readonly #times = new Float64Array(POINTS)
  readonly #kept = new Map<string, Kept>()
  #totals: Total[] = []
  /** Samples taken so far; the next one goes to the place `#turn % POINTS`. */
  #turn = 0
  readonly #end = new AbortController()
  #running: Promise<void> | undefined

  /** Looks at the fleet from now on, until closed. What fails is left out. */
  start(client: Pick<Client, 'samples'>, log: Log): void {
    this.#running ??= this.#run(client, log)
  }

  /** Takes a reading of all running workers. */
  take(samples: readonly Sample[], nowMs = Date.now()): void {
    const turn = this.#turn
    const at = turn % POINTS
    this.#times[at] = nowMs
    for (const { values } of this.#kept.values())
      for (let i = 0; i < COLUMNS.length; i++) values[i * POINTS + at] = Number.NaN
    const total: Total = { time: nowMs, in: 0, out: 0 }
    for (const sample of samples) this.#put(sample, turn, total)
    if (turn > 0) this.#totals = [...this.#totals, total].slice(-POINTS)
    for (const [nickname, { turn: seen }] of this.#kept) if (turn - seen >= POINTS) this.#kept.delete(nickname)
    this.#turn++
  }

  /** Of the whole fleet, oldest first. */
  totals(): readonly Total[] {
    return this.#totals
  }

  /** Of one worker; without points where nothing is known of it. */
  of(nickname: string, nowMs = Date.now()): HistoryView {
    const kept = this.#kept.get(nickname)
    const first = kept ? Math.max(0, this.#turn - POINTS) : this.#turn
    const places = Array.from({ length: this.#turn - first }, (_, i) => (first + i) % POINTS)
    const column = (index: number) =>
      places.map((place) => {
        const value = kept?.values[index * POINTS + place] ?? Number.NaN
        return Number.isNaN(value) ? null : Math.round(value * 1000) / 1000
      })
    const columns = Object.fromEntries(COLUMNS.map((name, i) => [name, column(i)]))
    return {
      time: places.map((place) => this.#times[place] ?? 0),
      now: nowMs,
      ...(columns as Record<(typeof COLUMNS)[number], (number | null)[]>),
    }
  }

  async close(): Promise<void> {
    this.#end.abort()
    await this.#running
  }

  async #run(client: Pick<Client, 'samples'>, log: Log): Promise<void> {
    const { signal } = this.#end
    while (!signal.aborted) {
      const begun = performance.now()
      try {
        const samples = await client.samples()
        if (!signal.aborted) this.take(samples)
      } catch (err) {
        log.debug({ err }, 'the history of the workers has a gap')
      }
      await pause(Math.max(EVERY_MS, SHARE * (performance.now() - begun)), signal)
    }
  }

  #put(sample: Sample, turn: number, total: Total): void {
    let kept = this.#kept.get(sample.nickname)
    if (!kept) {
      if (this.#kept.size >= WORKERS) return
      kept = {
        last: sample,
        rates: { ...UNKNOWN, seenAt: total.time },
        turn,
        values: new Float32Array(POINTS * COLUMNS.length).fill(Number.NaN),
      }
      this.#kept.set(sample.nickname, kept)
    }
    const { values } = kept
    const rates = ratesOf(sample, kept, total.time)
    total.in += rates.in || 0
    total.out += rates.out || 0
    const row = [rates.in, rates.out, rates.lost, sample.memory_mb ?? Number.NaN, sample.loop_delay_ms ?? Number.NaN]
    row.forEach((value, i) => {
      values[i * POINTS + (turn % POINTS)] = value
    })
    Object.assign(kept, { last: sample, rates, turn })
  }
}

const UNKNOWN = { in: Number.NaN, out: Number.NaN, lost: Number.NaN }
/** A beat is overdue after so many intervals. */
const OVERDUE = 2

/** Since the beat before. Without a new one those that were known, until one is overdue; in a new run nobody knows. */
function ratesOf(sample: Sample, { last, rates }: Kept, nowMs: number): Rates {
  if (sample.epoch !== last.epoch) return { ...UNKNOWN, seenAt: nowMs }
  const seconds = sample.heart_beat - last.heart_beat
  if (seconds > 0) {
    const rate = (now: number, then: number) => Math.max(0, now - then) / seconds
    return {
      ...{ in: rate(sample.received, last.received), out: rate(sample.published, last.published) },
      ...{ lost: rate(sample.lost, last.lost), seenAt: nowMs },
    }
  }
  const overdue = nowMs - rates.seenAt > (sample.heart_beat_interval ?? 1) * OVERDUE * 1000
  return overdue ? { ...rates, ...UNKNOWN } : rates
}
