import { lifeOf, type WorkerView } from '../client.js'

/** A worker as pages see it: with messages per second since the beat before. */
export interface LiveWorker extends WorkerView {
  rate_in: number
  rate_out: number
  rate_lost: number
  /** Of what it publishes to channels other than its own, by channel. */
  rate_to: Record<string, number>
}

const STILL = { rate_in: 0, rate_out: 0, rate_lost: 0, rate_to: {} }
export type WorkerPatch = Partial<LiveWorker> & { nickname: string }
export interface Changes {
  changed: WorkerPatch[]
  gone: string[]
}

/** What a heartbeat may change of a worker. Above all not its token. */
const FROM_BEAT = [
  ...(['status', 'isolation', 'node', 'pid', 'heart_beat', 'heart_beat_interval', 'started_at'] as const),
  ...([
    'published',
    'received',
    'errors',
    'memory_mb',
    'loop_delay_ms',
    'error_msg',
    'stop_info',
    'stop_time',
  ] as const),
  ...(['published_to', 'dropped', 'dropped_by', 'lost', 'lost_by', 'gaps'] as const),
  ...(['data_feeder', 'threads', 'progress', 'last_tick', 'next_tick', 'ticks', 'skipped', 'missed'] as const),
]

/**
 * All workers as last read, kept up to date by their heartbeats; and what of it the pages have been told. Ages are
 * counted by this process's own clock from when they were true, so no clock of another machine matters.
 */
export class Picture {
  readonly #workers = new Map<string, LiveWorker>()
  /** By nickname, the `performance.now()` at which its `age` was true. */
  readonly #readAt = new Map<string, number>()
  #told = new Map<string, LiveWorker>()

  /** Takes a list that has all workers. */
  replace(list: readonly WorkerView[]): void {
    const names = new Set(list.map(({ nickname }) => nickname))
    for (const nickname of this.#workers.keys()) if (!names.has(nickname)) this.#remove(nickname)
    for (const view of list) {
      const before = this.#workers.get(view.nickname)
      const { rate_in, rate_out, rate_lost, rate_to } =
        before?.epoch === view.epoch && view.status === 'started' ? before : STILL
      const newest = before && isOvertaken(view, before) ? this.#withBeatOf(before, view) : view
      this.#put({ ...newest, rate_in, rate_out, rate_lost, rate_to })
    }
  }

  /** Takes a heartbeat. Returns false where the list must be read to understand it: a new worker, run or status. */
  beat(data: unknown): boolean {
    if (typeof data !== 'object' || data === null) return true
    const beat = data as Record<string, unknown>
    const before = this.#workers.get(String(beat.nickname))
    if (!before) return false
    const after: LiveWorker = { ...before, ...known(before, beat), age: 0 }
    const seconds = (after.heart_beat ?? 0) - (before.heart_beat ?? 0)
    if (seconds > 0) {
      const rate = (now: number, then = 0) => Math.max(0, now - then) / seconds
      after.rate_in = rate(after.received, before.received)
      after.rate_out = rate(after.published, before.published)
      after.rate_lost = rate(after.lost, before.lost)
      const others = Object.entries(after.published_to)
      after.rate_to = Object.fromEntries(others.map(([to, count]) => [to, rate(count, before.published_to[to])]))
    }
    this.#put(after)
    return after.status === before.status && after.started_at === before.started_at
  }

  /** Judges anew by the time that has gone by, which no heartbeat tells. */
  judge(nodesUp: ReadonlySet<string>): void {
    for (const [nickname, worker] of this.#workers) {
      if (worker.foreign) continue
      const life = lifeOf({
        ...{ status: worker.status, age: this.#ageOf(worker), interval: worker.heart_beat_interval ?? 1 },
        ...{
          loopDelayMs: worker.loop_delay_ms,
          nodeUp: nodesUp.has(worker.node),
          nextTickIn: this.#nextTickIn(worker),
        },
      })
      if (life !== worker.life) this.#workers.set(nickname, { ...worker, life })
    }
  }

  /** What has changed since the last call, or undefined. */
  changes(): Changes | undefined {
    const changed: WorkerPatch[] = []
    for (const [nickname, worker] of this.#workers) {
      const before = this.#told.get(nickname)
      const patch = before === worker ? undefined : patchOf(before, worker)
      if (patch) changed.push({ ...patch, age: this.#ageOf(worker) })
    }
    const gone = [...this.#told.keys()].filter((nickname) => !this.#workers.has(nickname))
    this.#told = new Map(this.#workers)
    return changed.length || gone.length ? { changed, gone } : undefined
  }

  workers(): LiveWorker[] {
    return [...this.#workers.values()].map((worker) => ({ ...worker, age: this.#ageOf(worker) }))
  }

  #withBeatOf(before: LiveWorker, view: WorkerView): WorkerView {
    const beat = Object.fromEntries(FROM_BEAT.map((key) => [key, before[key]]))
    return { ...view, ...beat, age: this.#ageOf(before), life: before.life }
  }

  #put(worker: LiveWorker): void {
    this.#workers.set(worker.nickname, worker)
    this.#readAt.set(worker.nickname, performance.now())
  }

  #remove(nickname: string): void {
    this.#workers.delete(nickname)
    this.#readAt.delete(nickname)
  }

  /** Seconds until the next tick of a repeatable worker that rests, by Redis's clock. */
  #nextTickIn(worker: LiveWorker): number | null {
    const { kind, threads, next_tick, heart_beat } = worker
    if (kind !== 'repeatable' || threads.tick === 'running' || next_tick === null || heart_beat === null) return null
    return next_tick - heart_beat - (this.#ageOf(worker) ?? 0)
  }

  #ageOf({ nickname, age }: LiveWorker): number | null {
    const since = performance.now() - (this.#readAt.get(nickname) ?? performance.now())
    return age === null ? null : Math.round(age * 1000 + since) / 1000
  }
}

/** Was a beat heard that came after the view was read? */
const isOvertaken = (view: WorkerView, before: LiveWorker): boolean =>
  view.epoch === before.epoch &&
  view.status === before.status &&
  (view.heart_beat ?? Number.POSITIVE_INFINITY) < (before.heart_beat ?? 0)

/** The fields of a beat that a view has, where they are of the same kind. Info hashes write numbers as text. */
function known(before: LiveWorker, beat: Record<string, unknown>): Partial<LiveWorker> {
  const found: Record<string, unknown> = {}
  for (const key of FROM_BEAT) {
    const value = beat[key]
    const is = before[key]
    const numeric = typeof is === 'number' || is === null
    if (value === undefined || (value === '' && numeric)) continue
    if (numeric && key !== 'progress' && typeof value === 'string' && Number.isFinite(Number(value))) {
      found[key] = Number(value)
    } else if (is === null || key === 'progress' || typeof value === typeof is) found[key] = value
  }
  return found as Partial<LiveWorker>
}

/** The fields that differ; undefined where none does but the age, which pages count themselves. */
function patchOf(before: LiveWorker | undefined, after: LiveWorker): WorkerPatch | undefined {
  if (!before) return after
  const different = (Object.keys(after) as (keyof LiveWorker)[]).filter(
    (key) => key !== 'age' && before[key] !== after[key] && JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  )
  if (different.length === 0) return undefined
  return { ...Object.fromEntries(different.map((key) => [key, after[key]])), nickname: after.nickname }
}
