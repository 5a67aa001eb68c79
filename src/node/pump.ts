import { messageOf } from '../errors.js'
import type { Queues } from '../fleet/queues.js'
import type { Logger } from '../log.js'
import type { Catalog, CatalogEntry } from './catalog.js'
import type { Kept } from './kept.js'
import type { Runner, WorkerJobHandle } from './runner.js'
import type { Runs } from './runs.js'
import type { Ticks } from './ticks.js'

export interface PumpOptions {
  capacity: number
  queues: Queues
  catalog: Catalog
  log: Logger
  runners: ReadonlyMap<string, Runner>
  runs: Runs
  kept: Kept
  ticks: Ticks
  share(): number
  /** Runs a job that was taken. Resolves when it is a run, or none is to come of it; never rejects. */
  host(runner: Runner, entry: CatalogEntry, job: WorkerJobHandle, token: string): Promise<void>
}

/** A worker that has waited so long, with no node having room in its fair share, is taken by any that has capacity, ms. */
const CROWDED_MS = 1500
/** A tick goes first to the node that keeps the worker's child: the others look so much later, ms. */
const STICKY_MS = 250
/** No timer of Node's waits longer, ms: it would end at once. The next tick of a yearly schedule is further away. */
const LONGEST_MS = 2 ** 31 - 1
/** Jobs fetched at the same time: a hundred workers that are started at once must not wait for each other's round trips. */
const AT_ONCE = 8

export type Pump = ReturnType<typeof createPump>

/** Takes jobs of the types of a node, as soon as there are some and as long as it has room. */
export function createPump(options: PumpOptions) {
  const { queues, catalog, log, runners, runs, kept } = options
  const dirty = new Set<string>()
  const crowdedSince = new Map<string, number>()
  /** Types that are another node's to take for a moment. */
  const avoidUntil = new Map<string, number>()
  const timers = new Map<string, NodeJS.Timeout>()
  let pumping: Promise<void> | undefined
  /** Jobs that were taken, and are no runs yet. */
  let underWay = 0
  let ended = false

  const isTick = (type: string): boolean => catalog.get(type)?.manifest?.kind === 'repeatable'
  const hosted = (): number => runs.longRunning() + kept.size()

  /** Looks for jobs of a type as soon as it can. */
  function look(type: string): void {
    dirty.add(type)
    pumping ??= pump().finally(() => {
      pumping = undefined
    })
  }

  /** The same after a while; an earlier appointment stands. */
  function later(type: string, delayMs: number): void {
    const due = Date.now() + delayMs
    const known = timers.get(type) as (NodeJS.Timeout & { due?: number }) | undefined
    if (ended || (known?.due !== undefined && known.due <= due)) return
    clearTimeout(known)
    const timer: NodeJS.Timeout & { due?: number } = setTimeout(
      () => {
        timers.delete(type)
        look(type)
      },
      Math.min(LONGEST_MS, Math.max(1, delayMs)), // looked at too early, it is appointed anew
    )
    timer.due = due
    timers.set(type, timer)
  }

  async function pump(): Promise<void> {
    for (let type = first(dirty); type !== undefined && !ended; type = first(dirty)) {
      dirty.delete(type)
      try {
        await takeAll(type)
      } catch (error) {
        if (!ended) log.debug({ type, err: messageOf(error) }, 'jobs could not be fetched; trying again')
        later(type, 1000)
      }
    }
  }

  async function takeAll(type: string): Promise<void> {
    const runner = runners.get(type)
    const entry = catalog.get(type)
    if (!runner || !entry?.bundle) return
    if (performance.now() < (avoidUntil.get(type) ?? 0)) return
    if (options.ticks.fit(entry)) {
      const next = (await options.ticks.take(runner, entry, () => ended)) ?? (await queues.nextDelayedMs(type))
      return appoint(type, next)
    }
    for (let atOnce = 1; !ended; atOnce = AT_ONCE) {
      const wanted = Math.min(atOnce, room(type))
      if (wanted < 1) return
      // the first alone: a queue that is empty, as most are, is asked once
      const taken = await Promise.all(Array.from({ length: wanted }, () => takeOne(runner, entry)))
      if (taken.includes(false)) break
    }
    appoint(type, await queues.nextDelayedMs(type))
  }

  /** @param next Unix ms of the next job, if there is one */
  function appoint(type: string, next: number | undefined): void {
    if (next !== undefined) later(type, next - Date.now() + (isTick(type) && !kept.has(type) ? STICKY_MS : 0))
  }

  async function takeOne(runner: Runner, entry: CatalogEntry): Promise<boolean> {
    const taken = await runner.take()
    if (!taken) return false
    crowdedSince.delete(entry.type)
    underWay++
    void options.host(runner, entry, taken.job, taken.token).finally(() => {
      underWay--
    })
    return true
  }

  /** How many jobs of a type may be taken now. */
  function room(type: string): number {
    if (isTick(type)) return AT_ONCE
    const now = hosted() + underWay
    const most = Math.min(options.capacity, options.share())
    if (now < most) return most - now
    // a run that waits for its new job must have room to take it, however small the share is while the fleet is being put back
    const free = runs.all().filter((run) => run.orphanedAt).length
    if (free > 0) return free
    const since = crowdedSince.get(type)
    if (since === undefined) crowdedSince.set(type, performance.now())
    else if (performance.now() - since > CROWDED_MS && now < options.capacity) {
      crowdedSince.delete(type) // one for now; the next has to wait as long
      return 1
    }
    return 0
  }

  return {
    look,
    later,
    hosted,
    /** Leaves the jobs of a type to other nodes for a moment. */
    avoid(type: string, ms: number): void {
      avoidUntil.set(type, performance.now() + ms)
    },
    /** Is the type to be looked at again by itself? */
    hasAppointment: (type: string): boolean => timers.has(type),
    /** Takes no more. Resolves when none is being taken. */
    async end(): Promise<void> {
      ended = true
      for (const timer of timers.values()) clearTimeout(timer)
      await pumping
    },
  }
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  for (const item of set) return item
  return undefined
}
