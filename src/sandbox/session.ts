import type { Redis } from 'ioredis'
import type { LogLevel, Publishing, Schema } from '../contract.js'
import type { Logger } from '../log.js'
import { connectRedis } from '../redis/connect.js'
import { schedulerIdOf } from '../redis/names.js'
import { type FinishHow, finish, type RunIdentity } from '../redis/run-scripts.js'
import { createDatabases, type Databases } from './databases.js'
import type { Ending } from './ending.js'
import { createEvents, type RunEvents } from './events.js'
import { createFence, type Fence } from './fence.js'
import { type Facts, fieldsOf, type Heartbeat, type HeartbeatOptions, startHeartbeat } from './heartbeat.js'
import type { Home, Send } from './home.js'
import { isLogLevel } from './levels.js'
import { NO_RESTART } from './outcome.js'
import { createProgress } from './progress.js'
import { createPublisher, type Publisher } from './publisher.js'
import { createState, type RunState } from './state.js'

/** What a run needs to know of its processor. */
export interface RunOptions {
  params?: Schema | undefined
  publishing?: Publishing | undefined
  heartbeatSeconds?: number | undefined
  graceSeconds?: number | undefined
  maxMemoryMb?: number | undefined
  maxLoopDelayMs?: number | undefined
}

/**
 * All that is opened for one run of a worker (for a repeatable worker: for one epoch, with its many ticks), and closed
 * with it.
 */
export interface Session {
  readonly run: RunIdentity
  readonly epoch: number
  readonly version: string
  /** Unix ms by Redis's clock, as it was when the run began, gone on monotonically. */
  nowMs(): number
  readonly fence: Fence
  readonly state: RunState
  readonly log: Logger
  readonly publisher: Publisher
  readonly events: RunEvents
  readonly databases: Databases
  readonly progress: { set(value: unknown): void }
  /** The processor's own Redis client, connected at its first command. */
  redis(): Redis
  beatWith(hears: () => string[], ending: Ending): Heartbeat
  /** The Info fields as they are now. */
  fields(hears: () => string[]): Record<string, unknown>
  /** Resolves when all that was published and recorded has been sent; undefined where nothing ever was. */
  flush(): Promise<unknown> | undefined
  setLogLevel(level: string): void
  /** Writes the end of the run or tick. @returns false where it was written before, or a later run holds the name */
  finish(how: FinishHow, stopInfo: string, fields: Record<string, unknown>): Promise<boolean>
  close(): Promise<void>
}

export function openSession(of: {
  home: Home
  send: Send
  run: RunIdentity
  epoch: number
  /** Unix ms by Redis's clock. */
  startedAtMs: number
  version: string
  options: RunOptions
  onStale: () => void
}): Session {
  const { home, send, run, epoch } = of
  const { redis, names, node } = home
  const { type, nickname } = run
  const state = createState()
  const fence = createFence(run, epoch, of.onStale)
  const progress = createProgress(state, send)
  const seconds = of.options.heartbeatSeconds ?? 1
  const releasers: (() => unknown)[] = [progress.close]
  const openedAt = performance.now()
  let level = levelOf(home.logLevel)
  // opened at first need: a process may have thousands of runs
  let log: Logger | undefined
  let databases: Databases | undefined
  let events: RunEvents | undefined
  let own: Redis | undefined
  let published = false
  let loopDelay = 0
  const openLog = (): Logger => {
    log ??= home.openLog({ type, nickname, epoch }, level)
    return log
  }

  const facts: Facts = {
    nickname,
    type,
    pid: process.pid,
    isolation: home.common ? 'shared' : 'process',
    token: run.token,
    heart_beat_interval: seconds,
    node,
    epoch,
    started_at: of.startedAtMs / 1000,
    version: of.version,
  }

  const publisher = createPublisher({ redis, names, fence, state, publishing: of.options.publishing })
  const beating = {
    redis,
    names,
    fence,
    state,
    facts,
    seconds,
    loopDelayMs() {
      loopDelay = home.loopDelayMs()
      return loopDelay
    },
    memoryMb: home.memoryMb,
    onProblem: (problem: string) => openLog().warn(problem),
  }

  return {
    run,
    epoch,
    version: of.version,
    nowMs: () => Math.round(of.startedAtMs + performance.now() - openedAt),
    fence,
    state,
    get log() {
      return openLog()
    },
    get databases() {
      fence.check()
      if (databases) return databases
      const opened = createDatabases(home.databases)
      releasers.push(opened.close)
      databases = opened
      return opened
    },
    progress,
    get publisher() {
      published = true
      return publisher
    },
    get events() {
      events ??= createEvents({ redis, names, fence, node })
      return events
    },
    redis() {
      if (own) return own
      fence.check()
      const opened = connectRedis(home.redisUrl, 'worker', nickname, { lazyConnect: true, maxRetriesPerRequest: 20 })
      releasers.push(() => opened.disconnect())
      own = opened
      return opened
    },
    beatWith(hears, ending) {
      const tooMuch = memoryLimit(of.options.maxMemoryMb, ending)
      const tooLate = loopDelayLimit(of.options.maxLoopDelayMs, ending)
      const beat: HeartbeatOptions = {
        ...beating,
        hears,
        onStats(stats) {
          void send({ hysas: 'stats', nickname, stats })
          tooMuch(stats.memory_mb)
          tooLate(stats.loop_delay_ms)
        },
      }
      return home.common?.beats.start(beat) ?? startHeartbeat(beat)
    },
    fields: (hears) => fieldsOf({ ...beating, hears, onStats: () => {} }, Math.round(loopDelay)),
    flush: () => (published || events ? Promise.all([publisher.flush(), events?.flush()]) : undefined),
    setLogLevel(given) {
      if (!isLogLevel(given)) return
      level = given
      if (log) log.level = given
    },
    async finish(how, stopInfo, fields) {
      const schedulerId = schedulerIdOf(nickname)
      const rest = { restart: NO_RESTART, jitter: 0, errorMsg: '' }
      const { finished } = await finish(redis, names, { ...run, how, stopInfo, fields, schedulerId, ...rest })
      return finished
    },
    async close() {
      fence.close() // first: the others may take their time
      for (const release of releasers.splice(0).reverse()) await release()
    },
  }
}

function memoryLimit(limit: number | undefined, ending: Ending): (mb: number) => void {
  return (mb) => {
    if (limit === undefined || mb <= limit) return
    ending.end('error', new Error(`Its process took ${Math.round(mb)} MB of memory, more than its ${limit} MB.`))
  }
}

/** One late interval may be a garbage collection, or the machine's. */
const LATE_IN_A_ROW = 3
/** And a late one is told to whoever asks within about a second (loop-delay.ts), so it counts once in that time, ms. */
const TOLD_AGAIN_MS = 900

function loopDelayLimit(limit: number | undefined, ending: Ending): (ms: number) => void {
  let late = 0
  let countedAt = Number.NEGATIVE_INFINITY
  return (ms) => {
    if (limit === undefined || ms <= limit) {
      late = 0
      return
    }
    const now = performance.now()
    if (late && now - countedAt < TOLD_AGAIN_MS) return
    countedAt = now
    if (++late < LATE_IN_A_ROW) return
    ending.end(
      'error',
      new Error(`Its event loop was ${Math.round(ms)} ms late, more than its ${limit} ms, again and again.`),
    )
  }
}

function levelOf(level: string): LogLevel {
  return isLogLevel(level) ? level : 'info'
}
