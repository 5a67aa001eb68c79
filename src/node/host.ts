import type { Redis } from 'ioredis'
import type { EndReason } from '../contract.js'
import { messageOf } from '../errors.js'
import type { Queues } from '../fleet/queues.js'
import type { Logger } from '../log.js'
import type { Blocking } from '../protocol.js'
import { settleStopped } from '../redis/fleet-scripts.js'
import { keepLocks, mayCheckStalls } from '../redis/lock-scripts.js'
import type { Names } from '../redis/names.js'
import { adoptJob, type WorkerHash } from '../redis/restore-scripts.js'
import { separate } from '../redis/separate.js'
import { readStanding, readWishes } from '../redis/wish-scripts.js'
import type { StoredEvent } from '../store/types.js'
import type { Catalog, CatalogEntry } from './catalog.js'
import type { Children } from './children.js'
import { isolationOf } from './isolation.js'
import { createKept } from './kept.js'
import { whyLost } from './orphan.js'
import { createPump } from './pump.js'
import { isOutgrown, refit } from './refit.js'
import { type Run, startRun } from './run.js'
import { createRunner, type Runner, type WorkerJobHandle } from './runner.js'
import { createRuns } from './runs.js'
import { createSettle } from './settle.js'
import { createStarvers } from './starvers.js'
import { createTellStart } from './tell-start.js'
import { createTending } from './tend.js'
import { createTicks } from './ticks.js'
import type { OutputStream, WorkerChild } from './worker-child.js'

export interface HostOptions {
  node: string
  capacity: number
  redis: Redis
  names: Names
  queues: Queues
  catalog: Catalog
  children: Children
  log: Logger
  /** Fair share of the wanted workers, now. */
  share(): number
  /** A worker is about to run here: what the fleet has of it. */
  onTaken(hash: WorkerHash): void
  record(event: Partial<StoredEvent> & { kind: string }): void
  onLine(run: Run, stream: OutputStream, line: string): void
}

export type Host = ReturnType<typeof createHost>

/** A job that another node's run is to adopt is looked at again so much later, ms. */
const ADOPTION_MS = 300
/** A common child that has not been heard of for so long is as blocked as the worker in it that gave no heartbeat, ms. */
const SILENT_MS = 2500
/** The workers that a node hosts: takes jobs within its share, runs them, keeps their locks, ends them when told. */
export function createHost(options: HostOptions) {
  const { node, redis, names, catalog, children, log, record } = options
  const runners = new Map<string, Runner>()
  const runs = createRuns()
  const kept = createKept({ redis, names, log })
  const settle = createSettle({ ...options, kept, later: (type, delayMs) => later(type, delayMs) })
  const ticks = createTicks({ ...options, runs, kept, host, settle })
  const pump = createPump({ ...options, runners, runs, kept, ticks, host })
  const { look, later } = pump
  const tend = createTending(node)
  const tellStart = createTellStart(options)
  const starved = createStarvers({
    log,
    record,
    separate: (run, why) => void separate(redis, names, run, why).catch(() => {}),
  })
  let draining = false
  let drainedFor: EndReason | undefined
  let closed = false

  const isTick = (type: string): boolean => catalog.get(type)?.manifest?.kind === 'repeatable'
  /** Resolves when the job is a run, or none is to come of it. */
  async function host(runner: Runner, entry: CatalogEntry, job: WorkerJobHandle, token: string): Promise<void> {
    try {
      const run = await begin(runner, entry, job, token)
      if (run) void follow(runner, run)
    } catch (error) {
      if (!closed) log.warn({ type: entry.type, err: messageOf(error) }, 'a job could not be run; it comes again')
    }
  }

  async function begin(
    runner: Runner,
    entry: CatalogEntry,
    job: WorkerJobHandle,
    token: string,
  ): Promise<Run | undefined> {
    const { nickname } = job.data
    const atWork = isTick(entry.type) && runs.ofNickname(nickname).find((run) => run.type === entry.type)
    if (atWork) {
      if (atWork.claimed || atWork.skippedBefore === undefined) await noteSkipped(atWork, 1)
      else atWork.skippedBefore++
      await runner.complete(job, token, { how: 'skipped', nickname }).catch(() => {})
      return
    }
    const { before, wanted, revision, own, restored, hash } = await readStanding(redis, names, nickname)
    if (!wanted || revision !== job.data.revision) {
      await runner.complete(job, token, { how: 'unwanted', nickname })
      // it was stopped when its node had died already, so nobody has written its end
      if (!wanted && revision) await settleStopped(redis, names, entry.type, nickname)
      return
    }
    options.onTaken(hash)
    if (isOutgrown(entry, job)) {
      await refit(options, entry, job.data)
      void kept.end(nickname, 'restart') // a tick at work ends by itself: the new run waits for the name
      return void (await runner.complete(job, token, { how: 'unwanted', nickname }))
    }
    if (await adopt(job, token)) return
    if (restored) {
      // the run it stands for goes on at another node, which is to have it
      await runner.putOff(job, token, ADOPTION_MS)
      pump.avoid(entry.type, 4 * ADOPTION_MS)
      return
    }
    const run = startRun({
      job,
      token,
      entry,
      isolation: isolationOf(entry, own),
      children,
      kept: isTick(entry.type) ? kept.take(nickname, job.data.revision, hash.token, entry.bundle) : undefined,
      onLine: options.onLine,
      onClaimed: (run) => void (run.skippedBefore && noteSkipped(run, run.skippedBefore)),
      onStarted: (run) => tellStart(run, before),
    })
    runs.add(run)
    if (drainedFor) run.end(drainedFor) // it was taken before the drain began
    // a stop that came between fetching and now was heard by nobody
    void checkWanted([run])
    return run
  }

  async function noteSkipped({ type, nickname }: Run, count: number): Promise<void> {
    await redis.hincrby(names.info(type, nickname), 'skipped', count).catch(() => {})
  }

  async function follow(runner: Runner, run: Run): Promise<void> {
    try {
      await settle(runner, run, await run.done)
    } catch (error) {
      if (!closed)
        log.warn(
          { nickname: run.nickname, type: run.type, err: messageOf(error) },
          'the end of a run could not be written',
        )
    } finally {
      runs.delete(run)
      look(run.type)
    }
  }

  /** A run that went on while Redis lost its data gets the new job that stands for it. */
  async function adopt(job: WorkerJobHandle, token: string): Promise<boolean> {
    const run = runs.ofNickname(job.data.nickname).find((one) => one.orphanedAt && one.revision === job.data.revision)
    if (!run?.claimed || run.ending) return false
    if (!(await adoptJob(redis, names, { nickname: run.nickname, token: run.claimed.token }, { ...run, token })))
      return false
    log.debug({ nickname: run.nickname }, 'a run that went on has got its new job')
    run.job = job
    run.token = token
    run.orphanedAt = undefined
    return true
  }

  /** Ends runs that nobody wants any more, or that have been commanded anew. */
  async function checkWanted(some: readonly Run[]): Promise<void> {
    const wishes = await readWishes(
      redis,
      names,
      some.map(({ nickname }) => nickname),
    ).catch(() => [])
    some.forEach((run, i) => {
      const wish = wishes[i]
      if (!wish) return // Redis is away, or has lost its data: that is no command
      if (!wish.wanted) run.end('stop')
      else if (wish.revision !== run.revision) run.end('restart')
    })
  }

  return {
    runs: runs.all,
    hosted: pump.hosted,
    look,

    /** Types that can be run here: each gets its BullMQ Worker. */
    setTypes(types: readonly string[]): void {
      for (const type of types) {
        if (runners.has(type)) continue
        const runner = createRunner(type, redis, names, (error) => log.debug({ type, err: error.message }, 'queue'))
        runners.set(type, runner)
        look(type)
      }
      for (const [type, runner] of runners) {
        if (types.includes(type) || runs.all().some((run) => run.type === type)) continue
        runners.delete(type)
        void runner.close()
      }
    },

    /** This node's desk has admitted it: what runs of an earlier command ends. */
    admitted(op: 'start' | 'stop' | 'restart', nickname: string, revision: number): void {
      if (op === 'start') return
      for (const run of runs.ofNickname(nickname)) if (run.revision < revision) run.end(op)
    },

    /** What came over the wake channel. */
    heard(message: { what?: string; type?: string; nickname?: string; epoch?: number }): void {
      const { what, type, nickname } = message
      if (nickname && (what === 'stop' || what === 'restart')) {
        void checkWanted(runs.ofNickname(nickname))
        void kept.end(nickname, what)
      }
      if (nickname && what === 'wedged') {
        for (const run of runs.ofNickname(nickname)) {
          if (run.claimed?.epoch !== message.epoch) continue
          const why = 'it gave no heartbeat: its event loop was blocked'
          const common = run.child?.common
          if (common && performance.now() - common.heardAt > SILENT_MS) common.kill(why)
          else run.kill(why)
        }
      }
      // ours or another's run has ended: its share, or its name, may be free now
      if (type && (what === 'job' || what === 'ended')) look(type)
    },

    /** Once a second: what was missed on the wake channel, where the fleet has changed, and what has had to wait. */
    async check(changed: boolean): Promise<void> {
      if (changed) await checkWanted(runs.all())
      await kept.check()
      // a tick has its appointment, unless its queue was empty when it was looked at: the one before was just being taken
      for (const type of runners.keys()) if (!isTick(type) || kept.has(type) || !pump.hasAppointment(type)) look(type)
    },

    /** Once a second, whether Redis answers or not. */
    tend(): void {
      tend(runs.all(), children.commons(), redis.status === 'ready')
    },

    /** A worker of a common child kept its event loop from turning for a while. */
    blocked(blocking: Blocking, culprit: WorkerChild | undefined, pid: number): void {
      starved(
        blocking,
        pid,
        runs.all().find(({ child }) => child !== undefined && child === culprit),
      )
    },

    /** Once a second: prolongs all locks in one call. */
    async keepLocks(): Promise<void> {
      const asked = runs.all().map((run) => ({ run, type: run.type, jobId: run.jobId, token: run.token }))
      for (const { run, token } of await keepLocks(redis, names, asked)) {
        if (run.token !== token) continue // it has been given a new job meanwhile
        const holder = await redis.hget(names.worker(run.nickname), 'token')
        if (!runs.ofNickname(run.nickname).includes(run)) continue // it ended while that was asked: its lock went with its job
        if (holder === null) run.orphanedAt ??= performance.now()
        const why = whyLost(run, performance.now())
        if (why) run.kill(why)
      }
    },

    /** Puts jobs of dead nodes back to waiting. */
    async freeStalled(): Promise<void> {
      if (draining || !(await mayCheckStalls(redis, names))) return
      for (const [type, runner] of runners) if ((await runner.freeStalled()).length) look(type)
    },

    /** Ends all runs, in order; resolves when none is left. */
    async drain(reason: EndReason): Promise<void> {
      draining = true
      drainedFor = reason
      await pump.end()
      for (const run of runs.all()) run.end(reason)
      await Promise.all([kept.endAll(reason), ...runs.all().map((run) => run.done)])
      while (runs.size()) await new Promise((resolve) => setTimeout(resolve, 5))
    },

    async close(): Promise<void> {
      draining = closed = true
      await pump.end()
      await Promise.all([...runners.values()].map((runner) => runner.close()))
    },
  }
}
