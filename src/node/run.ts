import type { Job } from 'bullmq'
import type { EndReason, Isolation } from '../contract.js'
import { messageOf } from '../errors.js'
import type { RunFailure, RunResult, RunStats, WorkerJobData } from '../protocol.js'
import type { HeldLock } from '../redis/lock-scripts.js'
import { sandbox } from './bull-sandbox.js'
import type { CatalogEntry } from './catalog.js'
import { type Children, RunPool } from './children.js'
import { climbDown } from './ladder.js'
import type { EndedBy, OutputStream, WorkerChild } from './worker-child.js'

/** How a run ended, as the node sees it. */
export interface RunEnd {
  result?: RunResult
  failure?: RunFailure
  /** Of a run that ended with its common child. */
  fell?: EndedBy
}

/** One job that this node holds, from fetching to its end. */
export interface Run extends HeldLock {
  nickname: string
  revision: number
  job: Job<WorkerJobData, RunResult>
  entry: CatalogEntry
  isolation: Isolation
  /** As soon as the child holds the name: what it takes to write its end for it. */
  claimed?: { token: string; epoch: number }
  started: boolean
  stats?: RunStats
  /** When it began, when its child was given it, and when that was last heard of; by the monotonic clock, ms. */
  readonly takenAt: number
  handedAt?: number
  heardAt?: number
  child?: WorkerChild
  /** Since when its job is gone because Redis lost its data, by the monotonic clock, ms; it goes on and waits for a new one. */
  orphanedAt?: number | undefined
  /** Ticks that were left out because of it before it held the name: its claim may make the Info hash anew. */
  skippedBefore?: number
  /** Why the node is ending it; undefined while it isn't. */
  ending?: EndReason
  /** Ends it as the ladder says. */
  end(reason: EndReason): void
  /** Ends it at once: it is wedged, or someone else has its job. */
  kill(why: string): void
  killedFor: string
  done: Promise<RunEnd>
}

export interface RunOptions {
  job: Job<WorkerJobData, RunResult>
  token: string
  entry: CatalogEntry
  isolation: Isolation
  children: Children
  /** Child of an earlier tick. */
  kept?: WorkerChild | undefined
  onLine(run: Run, stream: OutputStream, line: string): void
  onClaimed(run: Run): void
  onStarted(run: Run): void
}

type LoadedEntry = CatalogEntry & { manifest: NonNullable<CatalogEntry['manifest']> }

/** Runs a job in a child, by BullMQ's own `sandbox`. `done` never rejects. */
export function startRun({
  job,
  token,
  entry,
  isolation,
  children,
  kept,
  onLine,
  onClaimed,
  onStarted,
}: RunOptions): Run {
  const abort = new AbortController()
  let stopLadder = () => {}
  const run: Run = {
    type: entry.type,
    jobId: job.id ?? '',
    token,
    nickname: job.data.nickname,
    revision: job.data.revision,
    job,
    entry,
    isolation,
    started: false,
    takenAt: performance.now(),
    killedFor: '',
    skippedBefore: 0,
    end(reason) {
      if (run.ending) return
      run.ending = reason
      const graceMs = ((entry as LoadedEntry).manifest?.graceSeconds ?? 10) * 1000
      stopLadder = climbDown(abort, reason, graceMs, (signal) => {
        if (signal === 'SIGKILL') {
          const writtenOff = run.child?.common ? '; what it left in its common child is fenced off' : ''
          run.killedFor ||= `it did not end within ${graceMs / 1000} s${writtenOff}`
        }
        run.child?.signal(signal)
      })
    },
    kill(why) {
      run.killedFor ||= why
      abort.abort('error')
      run.child?.signal('SIGKILL')
    },
    done: Promise.resolve({}),
  }
  const pool = new RunPool(children, {
    type: entry.type,
    version: entry.version,
    isolation,
    ticks: entry.manifest?.kind === 'repeatable',
    kept,
    onChild(child) {
      run.child = child
      child.onLine = (stream, line) => onLine(run, stream, line)
      child.onMessage = (message) => {
        run.heardAt = performance.now()
        if (message.hysas === 'claimed') {
          run.claimed = { token: message.token, epoch: message.epoch }
          onClaimed(run)
        }
        if (message.hysas === 'stats') run.stats = message.stats
        if (message.hysas === 'started') {
          run.started = true
          onStarted(run)
        }
      }
      if (run.killedFor) child.signal('SIGKILL')
    },
    onLoaded() {
      run.handedAt = performance.now()
    },
    isWanted: () => !run.ending && !run.killedFor,
  })
  run.done = sandbox<WorkerJobData, RunResult>(entry.bundle, pool)(job, token, abort.signal)
    .then(
      (result): RunEnd => ({ result }),
      (error: unknown): RunEnd => ({
        failure: failureOf(error, run),
        ...(run.child?.endedBy && { fell: run.child.endedBy }),
      }),
    )
    .finally(() => stopLadder())
  return run
}

/** What is told of a run that ended with an error. */
export function failureOf(error: unknown, run: Run): RunFailure {
  const { endedBy } = run.child ?? {}
  if (endedBy && !run.killedFor) return { message: endedBy.message, ...(endedBy.stack && { stack: endedBy.stack }) }
  const { stack, name, code, refused, unfit } = error as RunFailure
  const said = messageOf(error)
  const message = run.killedFor ? `killed: ${run.killedFor}` : readable(said, run)
  return {
    message,
    ...(stack && message === said && { stack }), // that of another message is BullMQ's own
    ...(name && { name }),
    ...(typeof code === 'string' && { code }),
    ...(refused && { refused }),
    ...(unfit && { unfit }),
  }
}

/** BullMQ says `Unexpected exit code: null signal: SIGKILL`. */
function readable(message: string, { child }: Run): string {
  const exit = /^Unexpected exit code: (\S+) signal: (\S+)$/.exec(message)
  if (!exit) return message
  const [, code, signal] = exit
  return signal !== 'null'
    ? `its process (${child?.pid}) was ended by ${signal}`
    : `its process (${child?.pid}) ended with exit code ${code}`
}
