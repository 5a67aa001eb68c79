import type { Context, Source } from '../contract.js'
import type { Life } from './life.js'
import type { LongRunning } from './loading.js'

/** Subscribes, calls `start`, then `produce` and `receive` side by side. Resolves when `produce` has returned. */
export async function begin(life: Life): Promise<void> {
  const { session, processor, ending, ctx, parts, heartbeat } = life
  const { hearing } = life.listening
  const { state } = session
  if (processor.start) void heartbeat.beat() // else it is `started` as soon as it hears, and says so at once
  const sources = sourcesOf(processor, ctx)
  await Promise.all([life.listening.tap(), ...sources.map((source) => hearing.add(source))])
  if (ending.signal.aborted) return // it was waited for too long: there is no run any more that `start` could be part of
  if (processor.start && !(await parts.run('start', () => processor.start?.(ctx)))) return
  if (ending.signal.aborted) return

  state.status = 'started'
  state.threads.command = 'running'
  if (processor.receive) state.threads.receive = 'running'
  hearing.open()
  void heartbeat.beat().then(() => life.send({ hysas: 'started', nickname: ctx.nickname }))
  if (!processor.produce) return
  const returned = await parts.run('produce', () => processor.produce?.(ctx))
  // Its work is done; what hears something lives on.
  if (returned && !processor.receive && hearing.names().length === 0) ending.end('done')
}

function sourcesOf({ subscribe = [] }: LongRunning, { nickname, params }: Context): readonly Source[] {
  const given = typeof subscribe === 'function' ? subscribe({ nickname, params }) : subscribe
  return Array.isArray(given) ? given : [given as Source]
}
