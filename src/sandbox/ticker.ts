import type { EndReason } from '../contract.js'
import { monotonicMs, type RunResult, type StartMessage, TICK_FRESH_MS } from '../protocol.js'
import { claim, noteSkipped } from '../redis/run-scripts.js'
import { checkParams } from './check-params.js'
import { dueOf, missedBetween } from './due.js'
import { type Ending, within } from './ending.js'
import { type Epoch, openEpoch } from './epoch.js'
import { RunError } from './failure.js'
import type { Home, Send } from './home.js'
import { jobData } from './job-data.js'
import type { Loaded } from './loading.js'
import { OUTCOMES } from './outcome.js'
import { openSession, type Session } from './session.js'
import { noteError } from './state.js'
import { type Beats, beatsOf } from './tick-beats.js'
import { uniqueId } from './unique-id.js'

export interface Ticker {
  /** One tick. @throws RunError where the parameters are refused; whatever the tick threw */
  tick(start: StartMessage, ending: Ending): Promise<RunResult>
  /** The end of a worker that is between two ticks: its last heartbeat. */
  end(start: StartMessage, ending: Ending): Promise<RunResult>
  /** Clears away what there is, at once and without a word to Redis. */
  cut(): void
}

interface Begun {
  one: Epoch
  nowMs: number
  /** Ticks of the epoch that were left out until now. */
  skipped: number
  /** The first tick of the epoch. */
  isNew: boolean
}

/** Runs the ticks of one repeatable worker. Module state, run token and connections stay from tick to tick. */
export function createTicker(of: {
  home: Home
  loaded: Extract<Loaded, { kind: 'repeatable' }>
  send: Send
  onSession: (session: Session) => void
}): Ticker {
  const { home, loaded, send } = of
  const { type, version, processor } = loaded
  const token = uniqueId()
  const graceMs = (processor.graceSeconds ?? 10) * 1000
  const firstBeatMs = (processor.heartbeatSeconds ?? 1) * 500
  let epoch: Epoch | undefined
  let current: Ending | undefined

  const closeEpoch = async () => {
    const closing = epoch
    epoch = undefined
    await closing?.close()
  }

  const claimTick = async (start: StartMessage) => {
    const { nickname, revision } = jobData(start)
    const answer = await claim(home.redis, home.names, {
      type,
      nickname,
      token,
      revision,
      jobId: start.job.id,
      lockToken: start.token,
      mode: 'tick',
      node: home.node,
      pid: process.pid,
      heartbeatSeconds: processor.heartbeatSeconds ?? 1,
      version,
    })
    if (!answer.claimed && answer.why === 'busy') await noteSkipped(home.redis, home.names, type, nickname)
    return answer
  }

  const open = (nickname: string, number: number, startedAtMs: number): Epoch => {
    const session = openSession({
      home,
      send,
      run: { type, nickname, token },
      epoch: number,
      startedAtMs,
      version,
      options: processor,
      onStale: () => current?.end('stale'),
    })
    of.onSession(session)
    return openEpoch(home, session, processor)
  }

  /** Calls `tick` and waits for it, but not longer than the grace period once it is to end. @returns what it threw */
  const work = async (one: Epoch, ending: Ending): Promise<{ thrown: unknown } | undefined> => {
    const { ctx, release } = one.contextOf(one.params, ending)
    const { session } = one
    const { state } = session
    let failure: { thrown: unknown } | undefined
    let over = false
    const fail = (thrown: unknown) => {
      if (!ending.reason) failure = { thrown }
    }
    state.threads.tick = 'running'
    try {
      if (one.refusal) throw one.refusal.thrown
      const ticking: unknown = processor.tick(ctx)
      if (isPromise(ticking)) {
        const ended = Promise.resolve(ticking)
          .catch(fail)
          .then(() => {
            over = true
          })
        await Promise.race([ended, ending.ended])
        if (!over && ending.reason !== 'cut' && !(await within(graceMs / 2, ending, ended))) {
          session.log.warn('Not ended in time: tick.')
        }
      }
    } catch (thrown) {
      fail(thrown)
    }
    const released = release()
    if (released) await released
    if (ending.reason === 'error') failure ??= { thrown: ending.error }
    state.threads.tick = failure ? 'failed' : 'done'
    if (failure) {
      noteError(state, failure.thrown)
      session.log.error({ stack: state.errorMsg }, 'The tick failed.')
    }
    return failure
  }

  /** Writes the end of the tick, or leaves it to the node, and says how it ended. */
  const conclude = async (
    one: Epoch,
    ending: Ending,
    beats: Beats,
    failure: { thrown: unknown } | undefined,
    byNode: boolean,
  ): Promise<RunResult> => {
    const { session } = one
    const { nickname } = session.run
    if (isOver(ending)) return stale(one, ending)
    const { reason } = ending
    if (reason) await one.beforeTermination(reason as EndReason, ending)
    const flushed = session.flush()
    if (flushed) await within(graceMs / 4, ending, flushed)
    if (reason === 'signal') throw new RunError({ message: 'ended by SIGTERM', code: 'SIGTERM' })
    if (failure) {
      await within(500, ending, beats.start().beat()) // with the error in it
      one.changes.reset()
      throw failure.thrown
    }
    const beating = beats.stop()
    if (beating) {
      await within(500, ending, beating)
      one.changes.reset()
    }
    if (byNode && !ending.reason) return { how: 'ticked', nickname, fields: one.changes.take() }
    if (isOver(ending)) return stale(one, ending)
    const outcome = (reason && OUTCOMES[reason]) ?? { how: 'ticked' as const, stopInfo: '' }
    const finished = await session.finish(outcome.how, outcome.stopInfo, session.fields(one.hears))
    return { how: finished ? outcome.how : 'stale', nickname }
  }

  const stale = ({ session }: Epoch, { reason }: Ending): RunResult => {
    if (reason === 'stale') session.log.warn('The tick ends: a later run has taken over.')
    return { how: 'stale', nickname: session.run.nickname }
  }

  /** Whether the node has claimed the name for what this child has, and not too long ago. */
  const isHeld = ({ claimed }: StartMessage): boolean =>
    claimed !== undefined &&
    epoch !== undefined &&
    epoch.session.epoch === claimed.epoch &&
    !epoch.session.fence.closed &&
    monotonicMs() - claimed.atMs < TICK_FRESH_MS

  /** The epoch of a tick that holds the name, and when it began; or how it ends without having begun. */
  const begin = async (start: StartMessage): Promise<Begun | RunResult> => {
    const { nickname } = jobData(start)
    const { claimed: given } = start
    if (given && epoch && isHeld(start)) {
      if (given.params !== undefined) await renewParams(epoch, JSON.parse(given.params) as Record<string, unknown>)
      return { one: epoch, nowMs: given.nowMs, skipped: given.skipped ?? 0, isNew: false }
    }
    const claimed = await claimTick(start)
    if (!claimed.claimed) return { how: claimed.why === 'busy' ? 'skipped' : claimed.why, nickname }
    await send({ hysas: 'claimed', nickname, token, epoch: claimed.epoch })
    // not whether it is fresh: a claim that was sent again is not the second time
    if (epoch && (epoch.session.epoch !== claimed.epoch || epoch.session.fence.closed)) await closeEpoch()
    const isNew = !epoch
    epoch ??= open(nickname, claimed.epoch, claimed.nowMs)
    const one = epoch
    if (isNew) Object.assign(one.session.state, { errors: claimed.errors, errorMsg: claimed.errorMsg })
    one.proven = claimed.proven
    await renewParams(one, claimed.params)
    return { one, nowMs: claimed.nowMs, skipped: claimed.skipped, isNew }
  }

  return {
    async tick(start, ending) {
      current = ending
      let beats: Beats | undefined
      try {
        const begun = await begin(start)
        if (!('one' in begun)) return begun
        const { one, isNew } = begun
        if (isOver(ending)) return stale(one, ending)
        one.session.state.status = 'started'
        if (!ending.reason) countTick(begun, start) // a stop may have come meanwhile: then `tick` is not called
        beats = beatsOf(() => one.session.beatWith(one.hears, ending), isNew ? 0 : firstBeatMs)
        if (isNew) {
          const { nickname } = one.session.run
          const heartbeat = beats.start()
          void heartbeat.beat().then(() => send({ hysas: 'started', nickname }))
        }
        const failure = ending.reason ? undefined : await work(one, ending)
        return await conclude(one, ending, beats, failure, start.claimed !== undefined)
      } finally {
        void beats?.stop()
        if (isOver(ending)) await closeEpoch()
        if (current === ending) current = undefined
      }
    },

    async end(start, ending) {
      const { nickname, reason: given } = jobData(start)
      const reason: EndReason = given === 'restart' || given === 'handover' || given === 'shutdown' ? given : 'stop'
      const outcome = OUTCOMES[reason] ?? { how: 'stopped' as const, stopInfo: '' }
      ending.end(reason)
      if (epoch) {
        const { session } = epoch
        await epoch.beforeTermination(reason, ending)
        const flushed = session.flush()
        if (flushed) await within(graceMs / 4, ending, flushed)
        const { threads, errors } = session.state
        await session.finish(outcome.how, outcome.stopInfo, { threads, errors })
        await closeEpoch()
      }
      return { how: outcome.how, nickname }
    },

    cut() {
      epoch?.session.fence.close()
      current?.end('cut')
      closeEpoch().catch(() => {})
    },
  }

  async function renewParams(one: Epoch, given: Record<string, unknown>): Promise<void> {
    const text = JSON.stringify(given)
    if (one.paramsText === text) return
    one.refusal = undefined
    try {
      one.params = await checkParams(one.session, processor.params, given, one.proven)
    } catch (thrown) {
      if (!one.proven) throw thrown
      one.refusal = { thrown }
    }
    one.paramsText = text
  }
}

function countTick({ one, nowMs, skipped }: Begun, start: StartMessage): void {
  const { state } = one.session
  const { ticks = 0, missed = 0 } = state.extra as { ticks?: number; missed?: number }
  const due = dueOf(start)
  state.extra = {
    last_tick: nowMs / 1000,
    ticks: ticks + 1,
    missed: missed + missedBetween(one.lastDue, due, skipped - one.lastSkipped, start),
  }
  one.lastDue = due
  one.lastSkipped = skipped
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value

/** Nothing is to be written any more. */
const isOver = ({ reason }: Ending): boolean => reason === 'stale' || reason === 'cut'
