import type { Redis } from 'ioredis'
import { messageOf } from '../errors.js'
import type { Logger } from '../log.js'
import type { Names } from '../redis/names.js'
import { CAN_TAKE_TICKS, type TakenTick } from '../redis/take-scripts.js'
import { CAN_END_TICKS, claimTicks, endTicks } from '../redis/tick-scripts.js'
import type { StoredEvent } from '../store/types.js'
import type { CatalogEntry } from './catalog.js'
import type { Kept } from './kept.js'
import { tooLarge } from './memory.js'
import type { Run, RunEnd } from './run.js'
import type { Runner, WorkerJobHandle } from './runner.js'
import type { Runs } from './runs.js'
import { TickRun } from './tick-run.js'
import type { OutputStream } from './worker-child.js'

export interface TicksOptions {
  redis: Redis
  names: Names
  log: Logger
  runs: Runs
  kept: Kept
  /** Runs a job in the way of all jobs. Never rejects. */
  host(runner: Runner, entry: CatalogEntry, job: WorkerJobHandle, token: string): Promise<void>
  /** Ends a run's job in the way of all jobs. */
  settle(runner: Runner, run: Run, end: RunEnd): Promise<void>
  onLine(run: Run, stream: OutputStream, line: string): void
  record(event: Partial<StoredEvent> & { kind: string }): void
}

export type Ticks = ReturnType<typeof createTicks>

/** Jobs in one call: it holds Redis up for about a millisecond. */
const AT_ONCE = 16
/** Calls under way at once while there is more to take: the next ticks must not wait for the answer to these. */
const CALLS = 4

/** A tick whose end is to be written. */
interface Ended {
  run: TickRun
  fields: readonly string[]
}

/**
 * The ticks of a node, many in one call of Redis: they are taken together, those whose worker has a child here from the tick
 * before claim the name together, and those that have ended well in one turn are written together. All others (first ticks,
 * failed ones, those that are skipped or no longer wanted) go the way of all jobs.
 */
export function createTicks(of: TicksOptions) {
  const { redis, names, log, runs, kept } = of
  /** By type. */
  const ended = new Map<Runner, Ended[]>()
  /** By nickname, of ticks that go the way of all jobs: resolve when there is a run, or none is to come. */
  const turns = new Map<string, Promise<void>>()

  async function begin(runner: Runner, entry: CatalogEntry, token: string, taken: readonly TakenTick[]): Promise<void> {
    const ticking: TickRun[] = []
    for (const { jobId, nickname, revision, every } of taken) {
      const isBusy = runs.has(entry.type, nickname) || turns.has(nickname)
      const child = isBusy ? undefined : kept.takeAsItIs(nickname, revision, entry.bundle)
      if (!child) {
        void inTurn(runner, entry, nickname, jobId, token)
        continue
      }
      const run = new TickRun({
        entry,
        isolation: child.child.common ? 'shared' : 'process',
        jobId,
        token,
        nickname,
        every,
        kept: child,
        onLine: of.onLine,
        onProgress: (one, value) => void progress(runner, one, value),
        onEnd: (one, end) => void follow(runner, one, end),
      })
      runs.add(run) // from now on a stop is heard
      ticking.push(run)
    }
    if (!ticking.length) return
    const { type, manifest } = entry
    try {
      const about = { type, lockToken: token, heartbeatSeconds: manifest?.heartbeatSeconds ?? 1 }
      const claims = ticking.map(({ nickname, revision, jobId, kept }) => ({
        nickname,
        revision,
        jobId,
        token: kept.token,
      }))
      const { nowMs, verdicts } = await claimTicks(redis, names, about, claims)
      ticking.forEach((run, i) => {
        const verdict = verdicts[i]
        if (verdict?.ok) run.begin(verdict.epoch, nowMs, verdict.params, verdict.skipped)
        else {
          putBack(run)
          void inTurn(runner, entry, run.nickname, run.jobId, token)
        }
      })
    } catch (error) {
      log.warn({ type, err: messageOf(error) }, 'ticks could not be run; they come again')
      for (const run of ticking) if (!run.claimed) putBack(run)
    }
  }

  /** The child is kept again; a stop that was heard meanwhile ends it. */
  function putBack(run: TickRun): void {
    runs.delete(run)
    kept.keep(run.nickname, run.kept)
    if (run.killedFor) run.child.signal('SIGKILL')
    else if (run.ending) void kept.end(run.nickname, run.ending)
  }

  /** One after the other for one worker: the next must find the run, or the child, that comes of the one before. */
  async function inTurn(
    runner: Runner,
    entry: CatalogEntry,
    nickname: string,
    jobId: string,
    token: string,
  ): Promise<void> {
    const turn = (turns.get(nickname) ?? Promise.resolve()).then(() => inFull(runner, entry, jobId, token))
    turns.set(nickname, turn)
    await turn
    if (turns.get(nickname) === turn) turns.delete(nickname)
  }

  async function inFull(runner: Runner, entry: CatalogEntry, jobId: string, token: string): Promise<void> {
    try {
      const job = await runner.job(jobId)
      if (!job) return
      job.token = token
      await of.host(runner, entry, job, token)
    } catch (error) {
      log.warn({ type: entry.type, err: messageOf(error) }, 'a job could not be run; it comes again')
    }
  }

  async function follow(runner: Runner, run: TickRun, end: RunEnd): Promise<void> {
    const { how, fields } = end.result ?? {}
    if (how === 'ticked' && fields) return conclude(runner, { run, fields })
    try {
      const job = await runner.job(run.jobId)
      if (job) {
        run.job = job
        await of.settle(runner, run, end)
      } else void run.child.kill('SIGKILL')
    } catch (error) {
      notWritten(run, error)
    } finally {
      runs.delete(run)
    }
  }

  /** Its end is written with those of all that end in the same turn. */
  function conclude(runner: Runner, one: Ended): void {
    const waiting = ended.get(runner)
    if (waiting) return void waiting.push(one)
    ended.set(runner, [one])
    setImmediate(() => {
      const all = ended.get(runner) ?? []
      ended.delete(runner)
      for (let i = 0; i < all.length; i += AT_ONCE) void write(runner, all.slice(i, i + AT_ONCE))
    })
  }

  async function write(runner: Runner, batch: readonly Ended[]): Promise<void> {
    try {
      const answers = await endTicks(
        redis,
        names,
        runner.type,
        batch.map(({ run, fields }) => {
          const { nickname, jobId, token } = run
          return { nickname, jobId, lockToken: token, token: run.claimed?.token ?? '', fields }
        }),
      )
      await Promise.all(batch.map(({ run }, i) => letGo(run, answers[i]?.finished === true)))
      batch.forEach(({ run }, i) => {
        const code = answers[i]?.code ?? 0
        if (code < 0) notWritten(run, new Error(`BullMQ's moveToFinished says ${code}`))
      })
    } catch (error) {
      for (const { run } of batch) {
        void run.child.kill('SIGKILL')
        notWritten(run, error)
      }
    } finally {
      for (const { run } of batch) runs.delete(run)
    }
  }

  /** Each for itself: one that has to be ended takes its time, and the others have their next ticks. */
  async function letGo(run: TickRun, finished: boolean): Promise<void> {
    try {
      await keepChild(run, finished)
    } catch (error) {
      void run.child.kill('SIGKILL')
      notWritten(run, error)
    } finally {
      runs.delete(run)
    }
  }

  /** The child waits for the next tick, if it still may; a stop that it has not heard any more ends it in order. */
  async function keepChild(run: TickRun, finished: boolean): Promise<void> {
    const { child, nickname, type, entry, claimed, ending } = run
    if (child.exited) return
    const [large] = tooLarge([run])
    if (large) {
      const message = `its child is replaced: ${large.why}`
      of.record({ kind: 'crashed', severity: 'error', nickname, type, epoch: claimed?.epoch ?? null, message })
    }
    if (!finished || run.killedFor || !claimed || entry.bundle !== child.processFile || large) {
      return void child.kill('SIGKILL')
    }
    kept.keep(nickname, { ...run.kept, token: claimed.token })
    if (ending) await kept.end(nickname, ending)
  }

  async function progress(runner: Runner, run: TickRun, value: unknown): Promise<void> {
    const job = await runner.job(run.jobId).catch(() => undefined)
    await job?.updateProgress(value as object).catch(() => {}) // Redis is away, or the job has ended
  }

  function notWritten({ nickname, type }: Run, error: unknown): void {
    log.warn({ nickname, type, err: messageOf(error) }, 'the end of a run could not be written')
  }

  return {
    /** Whether the ticks of a type are taken here: those of a plain period, by the scripts of a BullMQ that we know. */
    fit: (entry: CatalogEntry): boolean =>
      CAN_TAKE_TICKS && CAN_END_TICKS && entry.manifest?.kind === 'repeatable' && Boolean(entry.manifest.every),

    /** Takes all that are due. @returns Unix ms at which the next is to be looked for, or undefined */
    async take(runner: Runner, entry: CatalogEntry, isEnded: () => boolean): Promise<number | undefined> {
      /** When to look again, as the last call says that has found no more. */
      let next: { atMs: number | undefined } | undefined
      async function takeSome(): Promise<void> {
        const { token, ticks, others, limitedMs, nextMs } = await runner.takeTicks(AT_ONCE)
        void begin(runner, entry, token, ticks)
        for (const jobId of others) void scheduleAndHost(runner, entry, jobId, token)
        if (limitedMs > 0) next = { atMs: Date.now() + limitedMs }
        else if (ticks.length + others.length < AT_ONCE) next = { atMs: nextMs }
      }
      async function takeOn(): Promise<void> {
        while (!next && !isEnded()) await takeSome()
      }
      await takeSome() // alone: it mostly takes all there are
      await Promise.all(Array.from({ length: CALLS }, takeOn))
      return next?.atMs
    },
  }

  async function scheduleAndHost(runner: Runner, entry: CatalogEntry, jobId: string, token: string): Promise<void> {
    try {
      const job = await runner.job(jobId)
      if (job) await runner.scheduleNext(job)
    } catch (error) {
      log.warn({ type: entry.type, err: messageOf(error) }, 'a tick could not be given a next one')
    }
    await inFull(runner, entry, jobId, token)
  }
}
