import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Logger } from '../log.js'
import type { RunFailure } from '../protocol.js'
import type { Names } from '../redis/names.js'
import { schedulerIdOf } from '../redis/names.js'
import { claim, type FinishAnswer, type FinishHow, finish } from '../redis/run-scripts.js'
import { separate } from '../redis/separate.js'
import type { StoredEvent } from '../store/types.js'
import type { Kept } from './kept.js'
import { tooLarge } from './memory.js'
import { restartOf } from './restart-policy.js'
import type { Run, RunEnd } from './run.js'
import type { Runner } from './runner.js'
import type { EndedBy } from './worker-child.js'

export interface SettleOptions {
  node: string
  redis: Redis
  names: Names
  log: Logger
  kept: Kept
  record(event: Partial<StoredEvent> & { kind: string }): void
  /** Looks for jobs of a type after a while. */
  later(type: string, delayMs: number): void
}

/** So much of what went wrong is in a job's log on Bull Board; the event and `error_msg` have more of it. */
const LOGGED_LENGTH = 1000

/**
 * What follows when a run has ended: the node decides how its job ends. Stopped or commanded anew: completed and
 * removed, whatever the child threw. Handed over: back to waiting. Crashed: tried again after the back-off.
 */
export function createSettle({ node, redis, names, log, kept, record, later }: SettleOptions) {
  return async function settle(runner: Runner, run: Run, end: RunEnd): Promise<void> {
    const { job, token, nickname, type, ending } = run
    const tick = run.entry.manifest?.kind === 'repeatable'
    if (tick) return settleTick(runner, run, end)
    const killed = run.child?.kill('SIGKILL')
    const { failure, result } = end
    if (!failure && (result?.how === 'lost' || result?.how === 'stale')) return // the job is someone else's
    if (ending === 'handover' || ending === 'shutdown') {
      if (failure) await writeEnd(run, ending, failure)
      report(
        run,
        ending === 'handover' ? 'stopped' : 'stopped',
        failure ? `did not end well: ${failure.message}` : ending,
      )
      await killed
      await runner.giveBack(job, token)
      // the end that the child told came before its job was free
      await redis.publish(names.wake, JSON.stringify({ what: 'job', type, nickname })).catch(() => 0)
    } else if (ending === 'stop' || ending === 'restart' || !failure) {
      if (failure) await writeEnd(run, ending === 'restart' ? 'restarted' : 'stopped', failure)
      if (run.claimed) report(run, 'stopped', failure ? failureText(failure) : (result?.how ?? 'stopped'))
      await runner.complete(job, token, result ?? { how: 'stopped', nickname })
    } else if (failure.refused) {
      record({
        kind: 'failed',
        severity: 'error',
        nickname,
        type,
        message: failure.message,
        epoch: run.claimed?.epoch ?? null,
      })
      await runner.complete(job, token, { how: 'stopped', nickname })
    } else {
      await crashed(runner, run, failure, end.fell)
    }
    await killed
  }

  async function crashed(runner: Runner, run: Run, failure: RunFailure, fell: EndedBy | undefined): Promise<void> {
    const { job, token, nickname, type } = run
    if (fell?.culprit) await separate(redis, names, run, 'it blocked the event loop that it shared')
    const answer = await writeEnd(run, 'crashed', failure, fell)
    if (!answer?.finished) {
      // a later run has the name, or nobody wants it any more
      await runner.complete(job, token, { how: 'unwanted', nickname })
      return
    }
    const { gaveUp, renewed, delayMs } = answer
    const next = renewed ? 'a later command has replaced it' : gaveUp ? 'given up' : `restarts in ${delayMs} ms`
    log.warn({ nickname, type, crashes: answer.crashes, reason: failure.message }, `a worker crashed: ${next}`)
    record({
      kind: 'crashed',
      severity: 'error',
      nickname,
      type,
      epoch: run.claimed?.epoch ?? null,
      message: `${failure.message}; ${next}`,
      data: { ...exitOf(run), stack: failure.stack, crashes: answer.crashes, delayMs },
    })
    if (renewed) {
      // the run of that command has a job of its own
      await runner.complete(job, token, { how: 'unwanted', nickname })
      return
    }
    const said = failure.message.slice(0, LOGGED_LENGTH)
    await job.log(`${new Date().toISOString()} crashed on ${node}: ${said}; ${next}`).catch(() => {})
    if (gaveUp) {
      record({
        kind: 'failed',
        severity: 'critical',
        nickname,
        type,
        message: `given up after ${answer.crashes} crashes in a row`,
      })
      await runner.complete(job, token, { how: 'stopped', nickname })
      return
    }
    const error = new Error(failure.message)
    if (failure.stack) error.stack = failure.stack
    await runner.fail(job, token, error, delayMs)
    later(type, delayMs)
  }

  /** A tick that fails is told and counted; the worker goes on with the next one. */
  async function settleTick(runner: Runner, run: Run, { result, failure }: RunEnd): Promise<void> {
    const { job, token, nickname, type, child, claimed } = run
    if (failure && claimed) {
      await writeEnd(run, run.ending === 'stop' ? 'stopped' : 'ticked', failure)
      record({
        kind: 'crashed',
        severity: 'error',
        nickname,
        type,
        epoch: claimed.epoch,
        message: `a tick failed: ${failure.message}`,
        data: { stack: failure.stack },
      })
    }
    if (failure && !claimed) await writeEnd(run, 'ticked', failure)
    const alive = child && !child.exited
    const [large] = alive ? tooLarge([run]) : []
    if (large) {
      const message = `its child is replaced: ${large.why}`
      record({ kind: 'crashed', severity: 'error', nickname, type, epoch: claimed?.epoch ?? null, message })
    }
    if (
      alive &&
      claimed &&
      !large &&
      !run.ending &&
      !run.killedFor &&
      run.entry.bundle === child.processFile &&
      result?.how !== 'stale'
    ) {
      const graceMs = (run.entry.manifest?.graceSeconds ?? 10) * 1000
      kept.keep(nickname, {
        child,
        type,
        version: run.entry.version,
        revision: run.revision,
        token: claimed.token,
        graceMs,
      })
    } else void child?.kill('SIGKILL')
    if (failure) await runner.fail(job, token, new Error(failure.message), 0)
    else await runner.complete(job, token, result ?? { how: 'ticked', nickname })
  }

  /**
   * Writes a run's end where the child could not. A child that died before it held the name (its file could not be
   * loaded) is given one by the node, so that the failure is seen and counted.
   */
  async function writeEnd(
    run: Run,
    how: FinishHow,
    failure: RunFailure,
    fell?: EndedBy,
  ): Promise<FinishAnswer | undefined> {
    const { type, nickname } = run
    const restart = restartOf(run, how === 'crashed', failure)
    const isTold = run.claimed && run.child && !run.child.exited && !run.killedFor // in a last heartbeat of the tick
    let token = run.claimed?.token
    if (!token) {
      token = randomUUID()
      const answer = await claim(redis, names, {
        type,
        nickname,
        token,
        revision: run.revision,
        jobId: run.jobId,
        lockToken: run.token,
        mode: run.entry.manifest?.kind === 'repeatable' ? 'tick' : 'run',
        node,
        pid: run.child?.pid ?? 0,
        heartbeatSeconds: run.entry.manifest?.heartbeatSeconds ?? 1,
        version: run.entry.version,
      })
      if (!answer.claimed) return undefined
    }
    return finish(redis, names, {
      type,
      nickname,
      token,
      how,
      stopInfo: how === 'crashed' ? failure.message : `${how}; ${failure.message}`,
      errorMsg:
        how === 'crashed' || (how === 'ticked' && !isTold) ? (failure.stack ?? failure.message).slice(0, 4000) : '',
      restart,
      spared: fell?.innocent ?? false,
      spreadMs: fell ? spread(fell.together) : 0,
      jitter: Math.random(),
      fields: {},
      schedulerId: schedulerIdOf(nickname),
    })
  }

  function report(run: Run, kind: string, how: string): void {
    const { nickname, type, claimed } = run
    record({
      kind,
      nickname,
      type,
      epoch: claimed?.epoch ?? null,
      message: `${how} on ${node}`,
      data: { reason: run.ending ?? how },
    })
  }
}

/** Workers that fell together with their process come back one after another, so long after the first at most, ms. */
const SPREAD_MS = 5000
const SPREAD_EACH_MS = 2

const spread = (together: number): number =>
  Math.floor(Math.random() * Math.min(SPREAD_MS, (together - 1) * SPREAD_EACH_MS))

/** How its process ended, where it did. */
function exitOf({ child }: Run): { signal?: string; exitCode?: number } {
  if (child?.signalCode) return { signal: child.signalCode }
  return typeof child?.exitCode === 'number' ? { exitCode: child.exitCode } : {}
}

const failureText = (failure: RunFailure): string => `ended, but not by itself: ${failure.message}`
