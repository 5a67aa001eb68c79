import { randomUUID } from 'node:crypto'
import type { Context, EndReason, Source } from '../contract.js'
import { HysasError } from '../errors.js'
import type { RunResult, StartMessage } from '../protocol.js'
import { connectRedis } from '../redis/connect.js'
import { claim, finish } from '../redis/run-scripts.js'
import { check } from './check.js'
import { createContext } from './context.js'
import { type Ending, within } from './ending.js'
import { RunError } from './failure.js'
import { createHearing, type Hearing } from './hearing.js'
import type { Heartbeat } from './heartbeat.js'
import type { Home, Send } from './home.js'
import { jobData } from './job-data.js'
import type { Loaded, LongRunning } from './loading.js'
import { createOperations } from './operations.js'
import { NO_RESTART, OUTCOMES } from './outcome.js'
import { createParts, type Parts } from './parts.js'
import { plainProcessor } from './plain.js'
import { createReceiver } from './receive.js'
import { openSession, type Session } from './session.js'
import { sleep } from './sleep.js'
import { noteError } from './state.js'
import { createSubscriber } from './subscriber.js'

/** Operations called at the same time; the further ones wait. */
const OPERATIONS_AT_ONCE = 64
const BUSY_PAUSE_MS = 25

export interface RunRequest {
  home: Home
  loaded: Exclude<Loaded, { kind: 'repeatable' }>
  start: StartMessage
  ending: Ending
  send: Send
  onSession: (session: Session) => void
}

/**
 * One run of a long-running worker, from its claim to its end.
 * @throws RunError where it is to be refused; whatever a hook threw
 */
export async function run(request: RunRequest): Promise<RunResult> {
  const { home, loaded, start, ending, send } = request
  const processor = loaded.kind === 'plain' ? plainProcessor(loaded.run, start, send) : loaded.processor
  const { nickname, revision } = jobData(start)
  const identity = { type: loaded.type, nickname, token: randomUUID() }
  const claimed = await claimName(request, identity, revision, processor.heartbeatSeconds ?? 1)
  if ('how' in claimed) return claimed

  await send({ hysas: 'claimed', nickname, token: identity.token, epoch: claimed.epoch })
  const session = openSession({
    home,
    send,
    run: identity,
    epoch: claimed.epoch,
    startedAtMs: claimed.nowMs,
    version: loaded.version,
    options: processor,
    onStale: () => ending.end('stale'),
  })
  request.onSession(session)
  try {
    return await live({ ...request, processor, session, given: claimed.params })
  } finally {
    await session.close()
  }
}

async function claimName(
  { home, loaded, start, ending }: RunRequest,
  identity: { type: string; nickname: string; token: string },
  revision: number,
  heartbeatSeconds: number,
) {
  for (;;) {
    const answer = await claim(home.redis, home.names, {
      ...identity,
      revision,
      jobId: start.job.id,
      lockToken: start.token,
      mode: 'run',
      node: home.node,
      pid: process.pid,
      heartbeatSeconds,
      version: loaded.version,
    })
    if (answer.claimed) return answer
    if (answer.why !== 'busy') return { how: answer.why, nickname: identity.nickname }
    await sleep(BUSY_PAUSE_MS, ending.signal)
    if (ending.reason) return { how: OUTCOMES[ending.reason]?.how ?? 'lost', nickname: identity.nickname } as const
  }
}

type Life = RunRequest & { processor: LongRunning; session: Session; given: Record<string, unknown> }

async function live(life: Life): Promise<RunResult> {
  const { home, session, processor, ending } = life
  const { state } = session
  const checked = await check(processor.params, life.given)
  if (!checked.ok) throw await refuse(life, checked.problems)

  const parts = createParts(state, ending)
  const subscriber = createSubscriber({
    names: home.names,
    connect: () => connectRedis(home.redisUrl, 'subscriber', session.run.nickname),
  })
  const receiver = createReceiver({
    processor,
    ctx: () => ctx,
    state,
    aborted: () => ending.signal.aborted,
    end: (thrown) => ending.end('error', thrown),
  })
  const hearing: Hearing = createHearing({
    names: home.names,
    subscriber,
    receive: processor.receive && { handle: receiver.handle, concurrency: processor.concurrency ?? 1 },
    guarded: receiver.guarded,
    onDrop(count) {
      state.dropped += count
    },
    onChange: () => void heartbeat.beat(),
  })
  const ctx = createContext({
    session,
    names: home.names,
    params: checked.value as Record<string, unknown>,
    ending,
    subscribe: hearing.add,
  })
  const heartbeat = session.beatWith(hearing.names, ending)
  try {
    const begun = begin({ ...life, ctx, parts, hearing, heartbeat, receiver })
    begun.catch((thrown: unknown) => ending.end('error', thrown))
    await ending.ended
    await wind({ ...life, ctx, parts, hearing })
    return await close(life, heartbeat)
  } finally {
    void heartbeat.stop()
    subscriber.close()
  }
}

/** The processor's own schema has the last word on the parameters. */
async function refuse({ home, loaded, session }: Life, problems: string): Promise<RunError> {
  const { message } = new HysasError('BAD_PARAMS', { type: loaded.type, problems })
  session.log.error(message)
  await finish(home.redis, home.names, {
    ...session.run,
    how: 'refused',
    stopInfo: 'its parameters were refused',
    errorMsg: message,
    restart: NO_RESTART,
    jitter: 0,
    fields: {},
  })
  return new RunError({ refused: true, code: 'BAD_PARAMS', message })
}

async function begin(
  life: Life & {
    ctx: Context
    parts: Parts
    hearing: Hearing
    heartbeat: Heartbeat
    receiver: ReturnType<typeof createReceiver>
  },
): Promise<void> {
  const { home, session, processor, ending, ctx, parts, hearing, heartbeat } = life
  const { state, run: identity } = session
  void heartbeat.beat()
  const command = createOperations({
    redis: home.redis,
    names: home.names,
    ctx: () => ctx,
    state,
    hearing: () => hearing,
    operations: processor.operations ?? {},
    setLogLevel: session.setLogLevel,
  })
  const sources = sourcesOf(processor, ctx)
  await Promise.all([
    hearing.tap(home.names.workerCommand(identity.type, identity.nickname), command, OPERATIONS_AT_ONCE),
    hearing.tapReceive(home.names.all),
    ...sources.map((source) => hearing.add(source)),
  ])
  if (processor.start && !(await parts.run('start', () => processor.start?.(ctx)))) return
  if (ending.signal.aborted) return

  state.status = 'started'
  state.threads.command = 'running'
  if (processor.receive) state.threads.receive = 'running'
  hearing.open()
  void heartbeat.beat().then(() => life.send({ hysas: 'started', nickname: identity.nickname }))
  if (!processor.produce) return
  const returned = await parts.run('produce', () => processor.produce?.(ctx))
  // Its work is done; what hears something lives on.
  if (returned && !processor.receive && hearing.names().length === 0) ending.end('done')
}

function sourcesOf(processor: LongRunning, { nickname, params }: Context): readonly Source[] {
  const { subscribe = [] } = processor
  const given = typeof subscribe === 'function' ? subscribe({ nickname, params }) : subscribe
  return Array.isArray(given) ? given : [given as Source]
}

/** Lets the hooks at work come to their end, then calls `beforeTermination`, all within the grace period. */
async function wind(life: Life & { ctx: Context; parts: Parts; hearing: Hearing }): Promise<void> {
  const { session, processor, ending, parts } = life
  const { state, log } = session
  const graceMs = (processor.graceSeconds ?? 10) * 1000
  const began = performance.now()
  // The last heartbeat wants to be written before the node, at the end of the grace period, sends a signal.
  const left = () => graceMs - Math.min(500, graceMs / 10) - (performance.now() - began)
  if (ending.reason === 'error') {
    noteError(state, ending.error)
    log.error({ stack: state.errorMsg }, 'The run ends by an error.')
  }
  if (ending.reason === 'stale') log.warn('The run ends: a later one has taken over.')

  const stopped = Promise.all([parts.settled(), life.hearing.close()])
  if (!(await within(graceMs / 2, ending, stopped))) {
    log.warn(`Not ended in time: ${parts.running().join(', ') || 'receive'}.`)
  }
  for (const name of ['command', 'receive']) if (state.threads[name]) state.threads[name] = 'done'
  if (processor.beforeTermination && ending.reason !== 'stale') {
    const reason = ending.reason as EndReason
    try {
      const work = (async () => processor.beforeTermination?.(life.ctx, reason))()
      if (!(await within(left(), ending, work))) log.warn('beforeTermination did not end in time.')
    } catch (thrown) {
      noteError(state, thrown)
      log.error({ stack: state.errorMsg }, 'beforeTermination failed.')
    }
  }
  await within(left(), ending, session.publisher.flush())
}

/** Writes the end where it is the child's to write, and says how the run ended. */
async function close({ home, session, ending }: Life, heartbeat: Heartbeat): Promise<RunResult> {
  const { nickname } = session.run
  const { reason, error } = ending
  if (reason === 'stale' || !reason) return { how: 'stale', nickname }
  const outcome = OUTCOMES[reason]
  if (!outcome) {
    await within(500, ending, heartbeat.beat()) // with the error in it
    throw reason === 'signal' ? new RunError({ message: 'ended by SIGTERM', code: 'SIGTERM' }) : error
  }
  let finished = true
  await within(500, ending, heartbeat.stop())
  const writing = finish(home.redis, home.names, {
    ...session.run,
    how: outcome.how,
    stopInfo: outcome.stopInfo,
    errorMsg: '',
    restart: NO_RESTART,
    jitter: 0,
    fields: heartbeat.fields(),
  }).then((answer) => {
    finished = answer.finished
  })
  await within(30_000, ending, writing)
  return { how: finished ? outcome.how : 'stale', nickname }
}
