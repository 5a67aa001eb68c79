import type { Context } from '../contract.js'
import type { RunResult, StartMessage } from '../protocol.js'
import { begin } from './begin.js'
import { checkParams } from './check-params.js'
import { claimName } from './claim-name.js'
import { createContext } from './context.js'
import { type Ending, within } from './ending.js'
import { RunError } from './failure.js'
import type { Home, Send } from './home.js'
import type { Hub } from './hub.js'
import { jobData } from './job-data.js'
import type { Life } from './life.js'
import { openListening } from './listening.js'
import type { Loaded } from './loading.js'
import { OUTCOMES } from './outcome.js'
import { createParts } from './parts.js'
import { plainProcessor } from './plain.js'
import { openSession, type Session } from './session.js'
import { uniqueId } from './unique-id.js'
import { windDown } from './wind-down.js'

export interface RunRequest {
  home: Home
  loaded: Exclude<Loaded, { kind: 'repeatable' }>
  start: StartMessage
  ending: Ending
  send: Send
  onSession: (session: Session) => void
  /** What it hears with, where that is connected already. */
  hub?: Hub | undefined
}

/**
 * One run of a long-running worker, from its claim to its end.
 * @throws RunError where it is to be refused; whatever a hook threw
 */
export async function run({ home, loaded, start, ending, send, onSession, ...of }: RunRequest): Promise<RunResult> {
  const { type, version } = loaded
  const processor = loaded.kind === 'plain' ? plainProcessor(loaded.run, start, send) : loaded.processor
  const { nickname, revision } = jobData(start)
  const identity = { type, nickname, token: uniqueId() }
  const request = {
    ...identity,
    revision,
    jobId: start.job.id,
    lockToken: start.token,
    mode: 'run' as const,
    node: home.node,
    pid: process.pid,
    heartbeatSeconds: processor.heartbeatSeconds ?? 1,
    version,
  }
  const claimed = await claimName(home, request, ending)
  if ('how' in claimed) return claimed

  const { epoch, nowMs } = claimed
  await send({ hysas: 'claimed', nickname, token: identity.token, epoch })
  const onStale = () => ending.end('stale')
  const facts = { home, send, run: identity, epoch, startedAtMs: nowMs, version, options: processor, onStale }
  const session = openSession(facts)
  onSession(session)
  try {
    const params = await checkParams(session, processor.params, claimed.params, claimed.proven)
    return await live({ home, send, session, processor, ending, ...of }, params)
  } finally {
    await session.close()
  }
}

async function live(
  of: Pick<Life, 'home' | 'send' | 'session' | 'processor' | 'ending'> & Pick<RunRequest, 'hub'>,
  params: Record<string, unknown>,
): Promise<RunResult> {
  const { home, session, ending } = of
  const parts = createParts(session.state, ending)
  const listening = openListening({
    ...of,
    ctx: () => ctx,
    aborted: () => ending.signal.aborted,
    end: (thrown) => ending.end('error', thrown),
    onChange: () => void heartbeat.beat(),
  })
  const { hearing } = listening
  const ctx: Context = createContext({ session, names: home.names, params, ending, subscribe: hearing.add })
  const heartbeat = session.beatWith(hearing.names, ending)
  const life: Life = { ...of, parts, listening, heartbeat, ctx }
  try {
    begin(life).catch((thrown: unknown) => ending.end('error', thrown))
    await ending.ended
    if (ending.reason !== 'cut') await windDown(life)
    return await close(life)
  } finally {
    void heartbeat.stop()
    void hearing.close() // what waits before the handlers of a run that was cut off is not for it any more
    listening.close()
  }
}

/** Writes the end where it is the child's to write, and says how the run ended. */
async function close({ session, ending, heartbeat }: Life): Promise<RunResult> {
  const { nickname } = session.run
  const { reason, error } = ending
  if (reason === 'stale' || reason === 'cut' || !reason) return { how: 'stale', nickname }
  const outcome = OUTCOMES[reason]
  if (!outcome) {
    await within(500, ending, heartbeat.beat()) // with the error in it
    throw reason === 'signal' ? new RunError({ message: 'ended by SIGTERM', code: 'SIGTERM' }) : error
  }
  await within(500, ending, heartbeat.stop())
  let finished = true
  const { cutShort } = session.state
  const stopInfo = cutShort ? `${outcome.stopInfo}; ${cutShort} did not end in time` : outcome.stopInfo
  const writing = session.finish(outcome.how, stopInfo, heartbeat.fields()).then((answer) => {
    finished = answer
  })
  await within(30_000, ending, writing)
  return { how: finished ? outcome.how : 'stale', nickname }
}
