import type { Redis } from 'ioredis'
import { redisNowMs, settleStopped } from '../redis/fleet-scripts.js'
import { COMMAND_QUEUE, jobIdOf, type Names, schedulerIdOf } from '../redis/names.js'
import { keepKind, type QueueSnapshot, readQueue, readWantedHashes, type Schedule } from '../redis/queue-scripts.js'
import type { StoredEvent } from '../store/types.js'
import { type NodeEntry, offerOf } from './nodes.js'
import { allowedSchedules, mayTick, pinNew, pinsOf } from './pins.js'
import { inWords, planQueue, type QueuePlan, type Wanted } from './plan.js'
import type { Queues, WorkerJob } from './queues.js'
import { inTurns } from './turns.js'

/** An event in nobody's name: the outbox gives it its id and time. */
export type RecordEvent = (event: Omit<StoredEvent, 'id' | 'time'>) => Promise<unknown>

export interface RepairLog {
  warn(fields: object, message: string): void
}

export interface ReconcileContext {
  redis: Redis
  names: Names
  queues: Queues
  /** All live nodes. */
  nodes: readonly NodeEntry[]
  record: RecordEvent
  log: RepairLog
  /** Only the queues of these types. Default: all, and the queue of commands. */
  types?: readonly string[]
}

export interface Repair {
  what: 'queue' | 'job-added' | 'job-removed' | 'job-mended' | 'scheduler-removed' | 'scheduler-mended'
  type: string
  /** Empty where it is about the whole queue. */
  nickname: string
  /** One sentence. */
  message: string
}

/** A command may be so new that the desk has not come to the job yet, ms. */
const FRESH_MS = 1500
/** More repairs of one kind in one queue are told in one event. */
const TOLD_SINGLY = 5

/**
 * Makes jobs and schedulers agree with the fleet, which is the truth: a wanted worker without a job gets one, what
 * nobody wants and nobody holds is removed, and what was done to a queue by hand is undone. Each repair is recorded.
 */
export async function reconcile(context: ReconcileContext): Promise<Repair[]> {
  const { redis, names, queues, nodes } = context
  const offered = nodes.flatMap((node) => Object.keys(node.offered))
  const types = new Set(context.types ?? [...offered, ...queues.open().map(({ name }) => name), COMMAND_QUEUE])
  // Queues first: a job that is seen was admitted before the fleet is read, so it can't be too new for it.
  const snapshots = new Map<string, QueueSnapshot>()
  for (const type of types) snapshots.set(type, await readQueue(redis, names, type))
  const wanted = await readWantedHashes(redis, names)
  const fleet = new Map(wanted.map((worker) => [worker.nickname, worker]))
  if (!context.types) for (const { type } of wanted) if (!types.has(type)) queues.get(type) // looked at next time
  const pins = pinsOf(wanted)
  const nowMs = await redisNowMs(redis)

  const repairs: Repair[] = []
  for (const [type, snapshot] of snapshots) {
    const done = await undoSettings(context, type, snapshot)
    if (type !== COMMAND_QUEUE) {
      const allowed = (worker: Wanted) => allowedSchedules(nodes, pins, worker)
      const plan = await settled(context, planQueue(type, snapshot, fleet, allowed, mayTick(nodes, type)), fleet, nowMs)
      done.push(...(await removeUnwanted(context, type, plan)))
      done.push(...(await mend(context, type, plan, allowed)))
      done.push(...(await addMissing(context, type, plan, allowed)))
      await pinNew(redis, names, plan.sound, pins)
    }
    await tell(context, type, done)
    repairs.push(...done)
  }
  return repairs
}

/** What was set on the whole queue by hand. */
async function undoSettings({ queues }: ReconcileContext, type: string, snapshot: QueueSnapshot): Promise<Repair[]> {
  const repairs: Repair[] = []
  const done = (message: string) => repairs.push({ what: 'queue', type, nickname: '', message })
  const queue = queues.get(type)
  if (snapshot.paused) {
    await queue.resume()
    done(`The queue ${type} was paused; it goes on.`)
  }
  if (snapshot.concurrency) {
    await queue.removeGlobalConcurrency()
    done(`The queue ${type} was limited to ${snapshot.concurrency} jobs at once; the limit was removed.`)
  }
  if (snapshot.rateLimit) {
    await queue.removeGlobalRateLimit()
    done(`The queue ${type} was given a rate limit of ${snapshot.rateLimit} jobs; it was removed.`)
  }
  if (snapshot.heldBack) await queue.removeRateLimitKey()
  return repairs
}

/** The plan without what a desk may be about to do itself. */
async function settled(
  { redis, names }: ReconcileContext,
  plan: QueuePlan,
  fleet: ReadonlyMap<string, Wanted>,
  nowMs: number,
): Promise<QueuePlan> {
  const strangers = [...plan.unwantedJobs, ...plan.unwantedSchedulers].map(({ nickname }) => nickname)
  const stopped = [...new Set(strangers)].filter((nickname) => !fleet.has(nickname))
  const since = new Map<string, number>()
  await inTurns(stopped, async (nickname) => {
    since.set(nickname, Number((await redis.hget(names.worker(nickname), 'since')) ?? 0))
  })
  const old = ({ nickname }: { nickname: string }) =>
    nowMs - (fleet.get(nickname)?.since ?? since.get(nickname) ?? 0) * 1000 > FRESH_MS
  return {
    ...plan,
    unwantedJobs: plan.unwantedJobs.filter(old),
    unwantedSchedulers: plan.unwantedSchedulers.filter(old),
    missing: plan.missing.filter(old),
    edited: plan.edited.filter(({ worker }) => old(worker)),
  }
}

async function removeUnwanted(
  { redis, names, queues }: ReconcileContext,
  type: string,
  plan: QueuePlan,
): Promise<Repair[]> {
  const repairs: Repair[] = []
  const queue = queues.get(type)
  await inTurns(plan.unwantedSchedulers, async ({ id, nickname, why }) => {
    if (!(await queue.removeJobScheduler(id))) return
    const message = `There was a schedule for ${nickname} in the queue ${type}, but ${why}; it was removed.`
    repairs.push({ what: 'scheduler-removed', type, nickname, message })
  })
  const scheduled = new Set(plan.unwantedSchedulers.map(({ nickname }) => nickname))
  await inTurns(plan.unwantedJobs, async ({ id, nickname }) => {
    // Where a node has taken it since, that ends it. Ticks are told with their scheduler.
    if (!(await takeAway(queues, type, id))) return
    // it may have been stopped when its node had died already: then nobody has written its end
    await settleStopped(redis, names, type, nickname)
    if (scheduled.has(nickname)) return
    const message = `The job ${id} waited in the queue ${type}, but nobody wants it; it was removed.`
    repairs.push({ what: 'job-removed', type, nickname, message })
  })
  return repairs
}

type Allowed = (worker: Wanted) => readonly Schedule[]

async function mend(context: ReconcileContext, type: string, plan: QueuePlan, allowed: Allowed): Promise<Repair[]> {
  const repairs: Repair[] = []
  const queue = context.queues.get(type)
  await inTurns(plan.mangled, async ({ id, worker }) => {
    const { nickname, revision } = worker
    await (await queue.getJob(id))?.updateData({ nickname, revision })
    const message = `The data of the job ${id} had been edited; they were put back.`
    repairs.push({ what: 'job-mended', type, nickname, message })
  })
  await inTurns(plan.edited, async ({ worker, why, ticks }) => {
    const { nickname } = worker
    const [schedule] = allowed(worker)
    if (!schedule) return // no live node says what is right
    // Anew, not over the old one: BullMQ keeps the offset of an old period.
    await queue.removeJobScheduler(schedulerIdOf(nickname))
    await inTurns(ticks, (id) => takeAway(context.queues, type, id)) // a waiting one outlives its scheduler
    await context.queues.addWorker(jobOf(worker, 'repeatable', schedule))
    const message = `The schedule of ${nickname} ${why}; it is ${inWords(schedule)} again.`
    repairs.push({ what: 'scheduler-mended', type, nickname, message })
  })
  return repairs
}

async function addMissing(
  context: ReconcileContext,
  type: string,
  plan: QueuePlan,
  allowed: Allowed,
): Promise<Repair[]> {
  if (plan.missing.length === 0) return []
  const { redis, names, queues, nodes } = context
  // A second look, fleet after queue: missing there and wanted before and after is missing.
  const queue = await readQueue(redis, names, type)
  const fleet = new Map((await readWantedHashes(redis, names)).map((worker) => [worker.nickname, worker]))
  const still = planQueue(type, queue, fleet, allowed, mayTick(nodes, type)).missing
  const missing = still.filter(({ nickname, revision }) =>
    plan.missing.some((before) => before.nickname === nickname && before.revision === revision),
  )
  const repairs: Repair[] = []
  await inTurns(missing, async (worker) => {
    const { nickname, revision } = worker
    const [schedule] = allowed(worker)
    const kind = schedule ? 'repeatable' : (offerOf(nodes, type)?.kind ?? worker.kind)
    if (kind === 'repeatable' && !schedule) return // nobody says when: no live node has this type
    // What is left of a job that is in no list any more would make the new one a duplicate.
    await takeAway(queues, type, jobIdOf(nickname, revision))
    if (kind !== worker.kind) await keepKind(redis, names, nickname, revision, kind)
    await queues.addWorker(jobOf(worker, kind, schedule))
    const message = `${nickname} is wanted, but had no ${schedule ? 'schedule' : 'job'} in the queue ${type}; it was given one.`
    repairs.push({ what: 'job-added', type, nickname, message })
  })
  return repairs
}

/** @returns false where a node holds the job, or it is a scheduler's next one: BullMQ refuses both. */
async function takeAway(queues: Queues, type: string, id: string): Promise<boolean> {
  try {
    return (await queues.get(type).remove(id)) === 1
  } catch (error) {
    if (typeof (error as { code?: unknown }).code === 'number') return false // BullMQ's codes; Redis's are texts
    throw error
  }
}

function jobOf({ type, nickname, revision }: Wanted, kind: string, schedule: Schedule | undefined): WorkerJob {
  const { every, cron, timezone } = schedule ?? { every: null, cron: null, timezone: null }
  const known = kind === 'plain' || kind === 'repeatable' ? kind : 'long-running'
  return { type, nickname, revision, kind: known, every, cron, timezone }
}

/** Warns of what was repaired, and records it: each by itself, or many of a kind in one event. */
async function tell({ record, log }: ReconcileContext, type: string, repairs: readonly Repair[]): Promise<void> {
  for (const what of new Set(repairs.map((repair) => repair.what))) {
    const alike = repairs.filter((repair) => repair.what === what)
    const told = alike.length <= TOLD_SINGLY ? alike : [{ ...together(alike), type, nickname: '' }]
    for (const { message, nickname } of told) {
      const data = told === alike ? { what } : { what, nicknames: alike.map((repair) => repair.nickname).slice(0, 100) }
      log.warn({ repair: what, of: type, worker: nickname }, message)
      await record({
        ...{
          kind: 'repair',
          severity: 'warning',
          type,
          nickname,
          node: '',
          epoch: null,
          source: '',
          message,
          data,
          key: '',
        },
      })
    }
  }
}

function together(repairs: readonly Repair[]): { message: string } {
  return { message: `${repairs[0]?.message ?? ''} And ${repairs.length - 1} more alike.` }
}
