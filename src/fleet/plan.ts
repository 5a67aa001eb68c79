import { jobIdOf, schedulerIdOf } from '../redis/names.js'
import type { QueueSnapshot, Schedule, SchedulerSnapshot } from '../redis/queue-scripts.js'

/** A worker that should run. */
export interface Wanted {
  nickname: string
  type: string
  revision: number
  kind: string
  /** Unix seconds of the command that wants it. */
  since: number
  system: boolean
  /** JSON of the schedule that it was started with, and its revision; empty where that is not known yet. */
  schedule: string
}

/** What must be done in the queue of one type so that it holds what the fleet wants. */
export interface QueuePlan {
  /** Jobs that nobody holds and nobody wants. */
  unwantedJobs: { id: string; nickname: string }[]
  /** Schedulers of nobody, or of what has no ticks any more. */
  unwantedSchedulers: { id: string; nickname: string; why: string }[]
  /** Wanted, and there is neither a job nor a scheduler. */
  missing: Wanted[]
  /** The scheduler is there and not as it should be: why, and its ticks that wait. */
  edited: { worker: Wanted; why: string; ticks: string[] }[]
  /** Waiting jobs whose data was edited. */
  mangled: { id: string; worker: Wanted }[]
  /** Schedulers that are in order, with the schedule that they follow. */
  sound: { worker: Wanted; schedule: Schedule }[]
}

/**
 * Compares one queue with the fleet. Pure.
 * @param fleet all wanted workers, by nickname
 * @param allowed the schedules that a worker's scheduler may have; an empty list: not known
 * @param mayTick false where the type is known to have no ticks
 */
export function planQueue(
  type: string,
  queue: QueueSnapshot,
  fleet: ReadonlyMap<string, Wanted>,
  allowed: (worker: Wanted) => readonly Schedule[],
  mayTick = true,
): QueuePlan {
  const plan: QueuePlan = { unwantedJobs: [], unwantedSchedulers: [], missing: [], edited: [], mangled: [], sound: [] }
  const wantedHere = (nickname: string) => {
    const worker = fleet.get(nickname)
    return worker?.type === type ? worker : undefined
  }
  const hasJob = ({ nickname, revision }: Wanted) => {
    const id = jobIdOf(nickname, revision)
    return queue.idle.has(id) || queue.active.has(id)
  }

  for (const id of queue.idle) {
    const job = parseJobId(id)
    if (!job) continue // put there by hand: whoever did it may take it away
    const worker = wantedHere(job.nickname)
    if (!worker || (job.revision !== undefined && job.revision !== worker.revision))
      plan.unwantedJobs.push({ id, nickname: job.nickname })
    else if (queue.data.has(id) && !isDataOf(queue.data.get(id) ?? '', worker)) plan.mangled.push({ id, worker })
  }

  const scheduled = new Set<string>()
  for (const scheduler of queue.schedulers) {
    const nickname = parseSchedulerId(scheduler.id)
    if (nickname === undefined) continue
    const worker = wantedHere(nickname)
    if (!worker || !mayTick || (hasJob(worker) && !isDataOf(scheduler.data, worker))) {
      const why = worker && !mayTick ? `${type} has no ticks any more` : 'nobody wants it'
      plan.unwantedSchedulers.push({ id: scheduler.id, nickname, why })
      continue
    }
    scheduled.add(nickname)
    const schedules = allowed(worker)
    const why = whatIsWrong(queue, scheduler, worker, schedules)
    if (why) plan.edited.push({ worker, why, ticks: [...queue.idle].filter(isTickOf(scheduler.id)) })
    else if (schedules.length) plan.sound.push({ worker, schedule: scheduleOf(scheduler) })
  }

  for (const worker of fleet.values())
    if (worker.type === type && !scheduled.has(worker.nickname) && !hasJob(worker)) plan.missing.push(worker)
  return plan
}

function whatIsWrong(
  queue: QueueSnapshot,
  scheduler: SchedulerSnapshot,
  worker: Wanted,
  schedules: readonly Schedule[],
): string {
  const found = scheduleOf(scheduler)
  if (scheduler.bounds) return 'had been given an end'
  if (schedules.length && !schedules.some((schedule) => sameSchedule(schedule, found)))
    return `had been set to ${inWords(found)}`
  if (!isDataOf(scheduler.data, worker)) return 'belonged to another command'
  const next = `repeat:${scheduler.id}:${scheduler.nextMs}`
  return queue.idle.has(next) || queue.active.has(next) ? '' : 'had lost its next tick'
}

const isTickOf = (schedulerId: string) => (jobId: string) => jobId.startsWith(`repeat:${schedulerId}:`)

function scheduleOf({ every, pattern, timezone }: SchedulerSnapshot): Schedule {
  return { every: every ? Number(every) : null, cron: pattern || null, timezone: timezone || null }
}

function sameSchedule(a: Schedule, b: Schedule): boolean {
  if (a.cron) return a.cron === b.cron && (a.timezone ?? 'UTC') === (b.timezone ?? 'UTC')
  return !b.cron && a.every === b.every
}

export function inWords({ every, cron, timezone }: Schedule): string {
  return cron ? `"${cron}" (${timezone ?? 'UTC'})` : `every ${every} ms`
}

function isDataOf(text: string, { nickname, revision }: Wanted): boolean {
  try {
    const data = JSON.parse(text) as { nickname?: unknown; revision?: unknown } | null
    return data?.nickname === nickname && data.revision === revision
  } catch {
    return false
  }
}

/** A job's id is `w-<nickname>.<revision>`, that of a tick `repeat:s-<nickname>:<ms>`. */
function parseJobId(id: string): { nickname: string; revision?: number } | undefined {
  const [, nickname, revision] = /^w-(.+)\.(\d+)$/.exec(id) ?? []
  if (nickname !== undefined) return { nickname, revision: Number(revision) }
  const [, ticking] = /^repeat:s-(.+):\d+$/.exec(id) ?? []
  return ticking === undefined ? undefined : { nickname: ticking }
}

function parseSchedulerId(id: string): string | undefined {
  const head = schedulerIdOf('')
  return id.startsWith(head) ? id.slice(head.length) : undefined
}
