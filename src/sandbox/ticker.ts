import { randomUUID } from 'node:crypto'
import type { Context, EndReason } from '../contract.js'
import { HysasError } from '../errors.js'
import type { RunResult, StartMessage } from '../protocol.js'
import { connectRedis } from '../redis/connect.js'
import { schedulerIdOf } from '../redis/names.js'
import { claim, type FinishHow, finish, noteSkipped } from '../redis/run-scripts.js'
import { check } from './check.js'
import { createContext } from './context.js'
import { type Ending, within } from './ending.js'
import { RunError } from './failure.js'
import { createHearing, type Hearing } from './hearing.js'
import type { Home, Send } from './home.js'
import { jobData } from './job-data.js'
import type { Loaded } from './loading.js'
import { createOperations } from './operations.js'
import { NO_RESTART, OUTCOMES } from './outcome.js'
import { createReceiver } from './receive.js'
import { openSession, type Session } from './session.js'
import { noteError } from './state.js'
import { createSubscriber } from './subscriber.js'

export interface Ticker {
  /** One tick. @throws RunError where the parameters are refused; whatever the tick threw */
  tick(start: StartMessage, ending: Ending): Promise<RunResult>
  /** The end of a worker that is between two ticks: `beforeTermination`, and the last heartbeat. */
  end(start: StartMessage, ending: Ending): Promise<RunResult>
  close(): Promise<void>
}

/** What lasts from tick to tick, for as long as this child holds the name. */
interface Epoch {
  session: Session
  hearing: Hearing
  paramsText: string
  params: Record<string, unknown>
  ctx: Context
  /** Unix ms at which the tick before was due. */
  lastDue: number | undefined
  close(): Promise<void>
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

  const openEpoch = async (nickname: string, number: number, startedAtMs: number): Promise<Epoch> => {
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
    const made: Epoch = {
      ...listenToCommands(
        home,
        session,
        () => made.ctx,
        () => current,
      ),
      session,
      paramsText: '',
      params: {},
      ctx: undefined as unknown as Context, // there from the first tick on, before anything is heard
      lastDue: undefined,
    }
    session.state.extra = { ticks: 0, missed: 0 }
    return made
  }

  const finishAs = async (one: Epoch, how: FinishHow, stopInfo: string, fields: Record<string, unknown>) => {
    const { finished } = await finish(home.redis, home.names, {
      ...one.session.run,
      how,
      stopInfo,
      errorMsg: '',
      restart: NO_RESTART,
      jitter: 0,
      fields,
      schedulerId: schedulerIdOf(one.session.run.nickname),
    })
    return finished
  }

  const beforeTermination = async (one: Epoch, reason: EndReason, ending: Ending) => {
    const hook = (processor as { beforeTermination?: (ctx: Context, reason: EndReason) => unknown }).beforeTermination
    if (!hook) return
    try {
      const work = (async () => hook(one.ctx, reason))()
      await within(graceMs / 2, ending, work)
    } catch (thrown) {
      noteError(one.session.state, thrown)
      one.session.log.error({ stack: one.session.state.errorMsg }, 'beforeTermination failed.')
    }
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
      epoch ??= await openEpoch(nickname, claimed.epoch, claimed.nowMs)
      const one = epoch
      const { state, log } = one.session

      const text = JSON.stringify(claimed.params)
      if (one.paramsText !== text) {
        const checked = await check(processor.params, claimed.params)
        if (!checked.ok) {
          const { message } = new HysasError('BAD_PARAMS', { type, problems: checked.problems })
          log.error(message)
          await finishAs(one, 'refused', 'its parameters were refused', { error_msg: message })
          throw new RunError({ refused: true, code: 'BAD_PARAMS', message })
        }
        one.paramsText = text
        one.params = checked.value as Record<string, unknown>
      }

      const subscriptions: { unsubscribe(): Promise<void> }[] = []
      one.ctx = createContext({
        session: one.session,
        names: home.names,
        params: one.params,
        ending,
        async subscribe(source, handler) {
          const subscription = await one.hearing.add(source, handler)
          subscriptions.push(subscription)
          return subscription
        },
      })
      const { ticks = 0, missed = 0 } = state.extra as { ticks?: number; missed?: number }
      const due = dueOf(start)
      state.status = 'started'
      state.threads.tick = 'running'
      state.extra = {
        last_tick: claimed.nowMs / 1000,
        ticks: ticks + 1,
        missed: missed + missedBetween(one.lastDue, due, start),
      }
      one.lastDue = due
      const heartbeat = one.session.beatWith(one.hearing.names, ending)
      if (isNew) void heartbeat.beat().then(() => send({ hysas: 'started', nickname }))

      let failure: { thrown: unknown } | undefined
      const work = (async () => processor.tick(one.ctx))().then(
        () => {},
        (thrown: unknown) => {
          if (!ending.signal.aborted) failure = { thrown }
        },
      )
      try {
        await Promise.race([work, ending.ended])
        const inTime = await within(graceMs / 2, ending, work)
        if (!inTime) log.warn('Not ended in time: tick.')
        state.threads.tick = failure ? 'failed' : 'done'
        const { reason } = ending
        if (reason === 'stale') {
          log.warn('The tick ends: a later run has taken over.')
          await closeEpoch()
          return { how: 'stale', nickname }
        }
        if (reason === 'error') failure ??= { thrown: ending.error }
        if (failure) {
          noteError(state, failure.thrown)
          log.error({ stack: state.errorMsg }, 'The tick failed.')
        }
        if (reason) await beforeTermination(one, reason, ending)
        await within(graceMs / 4, ending, one.session.publisher.flush())
        if (reason === 'signal') throw new RunError({ message: 'ended by SIGTERM', code: 'SIGTERM' })
        if (failure) {
          await within(500, ending, heartbeat.beat())
          throw failure.thrown
        }
        await within(500, ending, heartbeat.stop())
        const outcome = (reason && OUTCOMES[reason]) ?? { how: 'ticked' as const, stopInfo: '' }
        const finished = await finishAs(one, outcome.how, outcome.stopInfo, heartbeat.fields())
        return { how: finished ? outcome.how : 'stale', nickname }
      } finally {
        void heartbeat.stop()
        await Promise.allSettled(subscriptions.map((subscription) => subscription.unsubscribe()))
        current = undefined
      }
    },

    async end(start, ending) {
      const { nickname, reason: given } = jobData(start)
      const reason: EndReason = given === 'restart' || given === 'handover' || given === 'shutdown' ? given : 'stop'
      const outcome = OUTCOMES[reason] ?? { how: 'stopped' as const, stopInfo: 'stopped by command' }
      ending.end(reason)
      if (epoch) {
        await beforeTermination(epoch, reason, ending)
        await within(graceMs / 4, ending, epoch.session.publisher.flush())
        const { state } = epoch.session
        await finishAs(epoch, outcome.how, outcome.stopInfo, { threads: state.threads, errors: state.errors })
        await closeEpoch()
      }
      return { how: outcome.how, nickname }
    },

    close: closeEpoch,
  }
}

/** A repeatable worker hears its Command channel too, for as long as its child lives. */
function listenToCommands(
  home: Home,
  session: Session,
  ctx: () => Context,
  ending: () => Ending | undefined,
): Pick<Epoch, 'hearing' | 'close'> {
  const { type, nickname } = session.run
  const { state } = session
  const subscriber = createSubscriber({
    names: home.names,
    connect: () => connectRedis(home.redisUrl, 'subscriber', nickname),
  })
  const { guarded } = createReceiver({ processor: {}, ctx, state, aborted: () => ending()?.signal.aborted ?? true })
  const hearing = createHearing({
    names: home.names,
    subscriber,
    receive: undefined,
    guarded,
    onDrop(count) {
      state.dropped += count
    },
    onChange: () => {},
  })
  const operations = createOperations({
    redis: home.redis,
    names: home.names,
    ctx,
    state,
    hearing: () => hearing,
    operations: {},
    setLogLevel: session.setLogLevel,
  })
  hearing.open()
  hearing.tap(home.names.workerCommand(type, nickname), operations, 1).catch(() => {}) // closed before it was heard
  return {
    hearing,
    async close() {
      subscriber.close()
      await hearing.close()
      await session.close()
    },
  }
}

/** Unix ms at which a tick was due: the last part of the id that BullMQ's scheduler gives it. */
function dueOf({ job }: StartMessage): number | undefined {
  const due = Number(job.id.split(':').at(-1))
  return Number.isSafeInteger(due) && due > 1e12 ? due : undefined
}

/** Ticks of a fixed period that should have been between two that were. */
function missedBetween(before: number | undefined, due: number | undefined, { job }: StartMessage): number {
  const every = (job.opts?.repeat as { every?: unknown } | undefined)?.every
  if (before === undefined || due === undefined || typeof every !== 'number' || every <= 0) return 0
  return Math.max(0, Math.round((due - before) / every) - 1)
}
