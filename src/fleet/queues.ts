import { type ConnectionOptions, type JobsOptions, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { WorkerJobData } from '../protocol.js'
import { COMMAND_QUEUE, jobIdOf, type Names, schedulerIdOf } from '../redis/names.js'

/** What a worker's job (or scheduler) is made from. */
export interface WorkerJob {
  type: string
  nickname: string
  revision: number
  kind: 'long-running' | 'repeatable' | 'plain'
  every: number | null
  cron: string | null
  timezone: string | null
}

export type Queues = ReturnType<typeof createQueues>

/**
 * A worker's job never gives up by itself: how often it may be retried is the restart policy's business.
 * `Infinity` makes BullMQ's add throw.
 */
export const WORKER_JOB_OPTIONS = {
  attempts: 1e9,
  backoff: { type: 'custom' },
  removeOnComplete: true,
  removeOnFail: true,
  stackTraceLimit: 5,
  keepLogs: 100, // it lives for years, and each run writes two lines
} satisfies JobsOptions

/** The BullMQ queues of one namespace, opened at first use over one connection. */
export function createQueues(redis: Redis, names: Names) {
  const queues = new Map<string, Queue>()
  const connection = redis as unknown as ConnectionOptions

  const get = (type: string): Queue => {
    let queue = queues.get(type)
    if (!queue) {
      queue = new Queue(type, { connection, prefix: names.queuePrefix })
      queue.on('error', () => {}) // the shared connection reports its own errors
      queues.set(type, queue)
    }
    return queue
  }

  return {
    get,
    command: () => get(COMMAND_QUEUE),
    open: () => [...queues.values()],

    /**
     * Gives a wanted worker its job, or its scheduler. May be called again: what is there already stays.
     * @param tell whether to tell all nodes that there is something to take
     * @param onAdded called as soon as it is on its way to Redis: what asks there next, over the same connection, finds it
     */
    async addWorker(worker: WorkerJob, tell = true, onAdded = () => {}): Promise<void> {
      const data: WorkerJobData = { nickname: worker.nickname, revision: worker.revision }
      if (worker.kind === 'repeatable') {
        await get(worker.type).upsertJobScheduler(
          schedulerIdOf(worker.nickname),
          repeatOptions(worker),
          // a failed tick is not tried again: the next one comes anyway
          { name: worker.nickname, data, opts: { ...WORKER_JOB_OPTIONS, attempts: 1 } },
        )
        onAdded()
      } else {
        const jobId = jobIdOf(worker.nickname, worker.revision)
        const added = get(worker.type).add(worker.nickname, data, { ...WORKER_JOB_OPTIONS, jobId })
        setImmediate(onAdded)
        await added
      }
      if (!tell) return
      await redis.publish(names.wake, JSON.stringify({ what: 'job', type: worker.type, nickname: worker.nickname }))
    },

    /**
     * Takes away the scheduler and what waits of a worker, but for revision `keepRevision`. Active jobs are ended by the
     * node that holds them. @returns how many were removed
     */
    async removeWorker(worker: { type: string; nickname: string; keepRevision?: number }): Promise<number> {
      const queue = get(worker.type)
      let removed = 0
      if (worker.keepRevision === undefined && (await queue.removeJobScheduler(schedulerIdOf(worker.nickname))))
        removed++
      const keep = worker.keepRevision === undefined ? '' : jobIdOf(worker.nickname, worker.keepRevision)
      for (const id of await idleJobIds(redis, names, worker.type)) {
        if (nicknameOfJob(id) !== worker.nickname || id === keep) continue
        if (worker.keepRevision !== undefined && id.startsWith('repeat:')) continue
        // an active one is locked, and says no: its node ends it
        removed += await queue.remove(id).catch(() => 0)
      }
      return removed
    },

    /** Unix ms of a repeatable worker's next tick, as its scheduler has it. */
    async nextTickMs({ type, nickname }: { type: string; nickname: string }): Promise<number | undefined> {
      const score = await redis.zscore(`${names.queuePrefix}:${type}:repeat`, schedulerIdOf(nickname))
      return score === null ? undefined : Number(score)
    },

    /** Unix ms at which the first delayed job of a type is due, or undefined. */
    async nextDelayedMs(type: string): Promise<number | undefined> {
      const key = `${names.queuePrefix}:${type}:delayed`
      const [first] = await redis.zrange(key, '0', '0')
      const score = first === undefined ? null : await redis.zscore(key, first)
      // BullMQ keeps the time in the upper bits of the score
      return score === null ? undefined : Math.floor(Number(score) / 0x1000)
    },

    /** Jobs of a type that wait to be taken. */
    waiting: (type: string): Promise<number> => redis.llen(`${names.queuePrefix}:${type}:wait`),

    async close(): Promise<void> {
      await Promise.all([...queues.values()].map((queue) => queue.close()))
      queues.clear()
    },
  }
}

/** What BullMQ's scheduler is given for a repeatable worker. */
export function repeatOptions(worker: Pick<WorkerJob, 'every' | 'cron' | 'timezone'>) {
  return worker.cron ? { pattern: worker.cron, tz: worker.timezone ?? 'UTC' } : { every: worker.every ?? 1000 }
}

/** The nickname that a worker's job id carries: `w-<nickname>.<revision>` or `repeat:s-<nickname>:<ms>`. */
export function nicknameOfJob(jobId: string): string | undefined {
  return /^w-(.+)\.\d+$/.exec(jobId)?.[1] ?? /^repeat:s-(.+):\d+$/.exec(jobId)?.[1]
}

/** Ids of the jobs of a type that nobody holds: waiting, paused, delayed, prioritized. */
async function idleJobIds(redis: Redis, names: Names, type: string): Promise<string[]> {
  const key = (part: string) => `${names.queuePrefix}:${type}:${part}`
  const [wait, paused, delayed, prioritized] = await Promise.all([
    redis.lrange(key('wait'), 0, -1),
    redis.lrange(key('paused'), 0, -1),
    redis.zrange(key('delayed'), '0', '-1'),
    redis.zrange(key('prioritized'), '0', '-1'),
  ])
  return [...wait, ...paused, ...delayed, ...prioritized]
}
