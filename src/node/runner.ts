import { type ConnectionOptions, Job, JobScheduler, type RepeatOptions, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import type { RunResult, WorkerJobData } from '../protocol.js'
import { LOCK_MS, STALL_CHECK_MS } from '../redis/lock-scripts.js'
import type { Names } from '../redis/names.js'
import { type Taken, takeTicks } from '../redis/take-scripts.js'

export type WorkerJobHandle = Job<WorkerJobData, RunResult>
export type Runner = ReturnType<typeof createRunner>

/**
 * The BullMQ Worker of one type. It is asked for each job by hand (BullMQ's manual processing), because the node decides
 * what it takes (its fair share), how locks are kept (by one script for all types) and how a job ends.
 */
export function createRunner(type: string, redis: Redis, names: Names, onError: (error: Error) => void) {
  /** Of failed jobs: when they may be tried again. The node knows; BullMQ asks here. */
  const delays = new Map<string, number>()
  const connection = redis as unknown as ConnectionOptions
  const worker = new Worker<WorkerJobData, RunResult>(type, null, {
    autorun: false,
    connection,
    prefix: names.queuePrefix,
    lockDuration: LOCK_MS,
    stalledInterval: STALL_CHECK_MS,
    drainDelay: 1,
    runRetryDelay: 1000,
    // a job is never lost because its hosts crash: BullMQ's default gives up at the second time
    maxStalledCount: Number.MAX_SAFE_INTEGER,
    settings: { backoffStrategy: (_attempts, _type, _error, job) => delays.get(job?.id ?? '') ?? 0 },
  })
  worker.on('error', onError)
  let drawn = 0
  let scheduler: JobScheduler | undefined

  return {
    type,
    worker,

    /** The next job that waits, or whose delay is over; locked. */
    async take(): Promise<{ job: WorkerJobHandle; token: string } | undefined> {
      const token = `${worker.id}:${drawn++}`
      const job = (await worker.getNextJob(token, { block: false })) as WorkerJobHandle | undefined
      return job ? { job, token } : undefined
    },

    /** Takes up to `most` ticks that are due, in one call: locked, their next ones scheduled. */
    async takeTicks(most: number): Promise<Taken & { token: string }> {
      const token = `${worker.id}:${drawn++}`
      return { ...(await takeTicks(redis, names, { type, lockToken: token, most })), token }
    },

    /** A job by its id, where it still is. */
    async job(jobId: string): Promise<WorkerJobHandle | undefined> {
      return Job.fromId<WorkerJobData, RunResult>(worker, jobId)
    },

    /** Gives the scheduler of a job that was taken by `takeTicks` its next one, as BullMQ does where it takes one itself. */
    async scheduleNext(job: WorkerJobHandle): Promise<void> {
      const { repeatJobKey, opts, name, data, id = '' } = job
      const { repeat } = opts as { repeat?: RepeatOptions }
      if (!repeatJobKey || !repeat) return
      scheduler ??= new JobScheduler(type, { connection, prefix: names.queuePrefix })
      await scheduler.upsertJobScheduler(repeatJobKey, repeat, name, data, opts, { override: false, producerId: id })
    },

    /** Puts jobs whose lock has ended back to waiting. @returns their ids */
    freeStalled: (): Promise<string[]> => worker.backend.moveStalledJobsToWait(),

    /** Ends a job for good: it leaves nothing behind. */
    complete: (job: WorkerJobHandle, token: string, result: RunResult): Promise<unknown> =>
      job.moveToCompleted(result, token, false),

    /** Lets it come back after `delayMs`, with the failure shown on Bull Board. */
    async fail(job: WorkerJobHandle, token: string, error: Error, delayMs: number): Promise<void> {
      delays.set(job.id ?? '', delayMs)
      try {
        await job.moveToFailed(error, token, false)
      } finally {
        delays.delete(job.id ?? '')
      }
    },

    /** Lets it come again after `delayMs`, as if nothing had been. */
    putOff: (job: WorkerJobHandle, token: string, delayMs: number): Promise<unknown> =>
      job.moveToDelayed(Date.now() + delayMs, token),

    /** Gives it to whoever takes it next. */
    giveBack: (job: WorkerJobHandle, token: string): Promise<unknown> => job.moveToWait(token),

    async close(): Promise<void> {
      await Promise.all([worker.close(true), scheduler?.close()])
    },
  }
}
