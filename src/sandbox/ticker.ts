import { randomUUID } from 'node:crypto'
import type { EndReason } from '../contract.js'
import type { RunResult, StartMessage } from '../protocol.js'
import { claim, noteSkipped } from '../redis/run-scripts.js'
import { checkParams } from './check-params.js'
import { dueOf, missedBetween } from './due.js'
import { type Ending, within } from './ending.js'
import { type Epoch, openEpoch } from './epoch.js'
import { RunError } from './failure.js'
import type { Heartbeat } from './heartbeat.js'
import type { Home, Send } from './home.js'
import { jobData } from './job-data.js'
import type { Loaded } from './loading.js'
import { OUTCOMES } from './outcome.js'
import { openSession, type Session } from './session.js'
import { noteError } from './state.js'

export interface Ticker {
  /** One tick. @throws RunError where the parameters are refused; whatever the tick threw */
  tick(start: StartMessage, ending: Ending): Promise<RunResult>
  /** The end of a worker that is between two ticks: its last heartbeat. */
  end(start: StartMessage, ending: Ending): Promise<RunResult>
  /** Clears away what there is, at once and without a word to Redis. */
  cut(): void
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
  const token = randomUUID()
  const graceMs = (processor.graceSeconds ?? 10) * 1000
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
    const { state, log } = one.session
    let failure: { thrown: unknown } | undefined
    const ticking = (async () => processor.tick(ctx))().catch((thrown: unknown) => {
      if (!ending.signal.aborted) failure = { thrown }
    })
    state.threads.tick = 'running'
    await Promise.race([ticking, ending.ended])
    if (ending.reason !== 'cut' && !(await within(graceMs / 2, ending, ticking))) log.warn('Not ended in time: tick.')
    await release()
    if (ending.reason === 'error') failure ??= { thrown: ending.error }
    state.threads.tick = failure ? 'failed' : 'done'
    if (failure) {
      noteError(state, failure.thrown)
      log.error({ stack: state.errorMsg }, 'The tick failed.')
    }
    return failure
  }

  /** Writes the end of the tick, and says how it ended. */
  const conclude = async (
    one: Epoch,
    ending: Ending,
    heartbeat: Heartbeat,
    failure: { thrown: unknown } | undefined,
  ): Promise<RunResult> => {
    const { session } = one
    const { nickname } = session.run
    const { reason } = ending
    if (reason === 'stale' || reason === 'cut') {
      if (reason === 'stale') session.log.warn('The tick ends: a later run has taken over.')
      return { how: 'stale', nickname }
    }
    if (reason) await one.beforeTermination(reason, ending)
    await within(graceMs / 4, ending, Promise.all([session.publisher.flush(), session.events.flush()]))
    if (reason === 'signal') throw new RunError({ message: 'ended by SIGTERM', code: 'SIGTERM' })
    if (failure) {
      await within(500, ending, heartbeat.beat()) // with the error in it
      throw failure.thrown
    }
    await within(500, ending, heartbeat.stop())
    const outcome = (reason && OUTCOMES[reason]) ?? { how: 'ticked' as const, stopInfo: '' }
    const finished = await session.finish(outcome.how, outcome.stopInfo, heartbeat.fields())
    return { how: finished ? outcome.how : 'stale', nickname }
  }

  return {
    async tick(start, ending) {
      const { nickname } = jobData(start)
      const claimed = await claimTick(start)
      if (!claimed.claimed) return { how: claimed.why === 'busy' ? 'skipped' : claimed.why, nickname }
      await send({ hysas: 'claimed', nickname, token, epoch: claimed.epoch })
      current = ending
      if (claimed.fresh || epoch?.session.fence.closed) await closeEpoch()
      const isNew = !epoch
      epoch ??= open(nickname, claimed.epoch, claimed.nowMs)
      const one = epoch
      await renewParams(one, claimed.params)
      countTick(one, start, claimed.nowMs)
      const heartbeat = one.session.beatWith(one.hears, ending)
      if (isNew) void heartbeat.beat().then(() => send({ hysas: 'started', nickname }))
      try {
        return await conclude(one, ending, heartbeat, await work(one, ending))
      } finally {
        void heartbeat.stop()
        if (ending.reason === 'stale') await closeEpoch()
        current = undefined
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
        await within(graceMs / 4, ending, Promise.all([session.publisher.flush(), session.events.flush()]))
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
    one.params = await checkParams(one.session, processor.params, given)
    one.paramsText = text
  }
}

function countTick(one: Epoch, start: StartMessage, nowMs: number): void {
  const { state } = one.session
  const { ticks = 0, missed = 0 } = state.extra as { ticks?: number; missed?: number }
  const due = dueOf(start)
  state.status = 'started'
  state.extra = {
    last_tick: nowMs / 1000,
    ticks: ticks + 1,
    missed: missed + missedBetween(one.lastDue, due, start),
  }
  one.lastDue = due
}
