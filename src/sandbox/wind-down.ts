import type { EndReason } from '../contract.js'
import { within } from './ending.js'
import type { Life } from './life.js'
import { noteError } from './state.js'

/** Lets the hooks at work come to their end, then calls `beforeTermination`, all within the grace period. */
export async function windDown(life: Life): Promise<void> {
  const { session, processor, ending, parts } = life
  // its log is opened by its first line, which costs some ms: before `beforeTermination` only where there is one
  const { state } = session
  const graceMs = (processor.graceSeconds ?? 10) * 1000
  const began = performance.now()
  // The last heartbeat wants to be written before the node, at the end of the grace period, sends a signal.
  const left = () => graceMs - Math.min(500, graceMs / 10) - (performance.now() - began)
  if (ending.reason === 'error') {
    noteError(state, ending.error)
    session.log.error({ stack: state.errorMsg }, 'The run ends by an error.')
  }
  if (ending.reason === 'stale') session.log.warn('The run ends: a later one has taken over.')

  const stopped = Promise.all([parts.settled(), life.listening.hearing.close()])
  if (!(await within(graceMs / 2, ending, stopped))) {
    state.cutShort = parts.running().join(', ') || 'receive'
    session.log.warn(`Not ended in time: ${state.cutShort}.`)
  }
  for (const name of ['command', 'receive']) if (state.threads[name]) state.threads[name] = 'done'
  if (ending.reason !== 'stale') await beforeTermination(life, left)
  await within(left(), ending, Promise.all([session.publisher.flush(), session.events.flush()]))
}

async function beforeTermination({ session, processor, ending, ctx }: Life, left: () => number): Promise<void> {
  if (!processor.beforeTermination) return
  try {
    const work = (async () => processor.beforeTermination?.(ctx, ending.reason as EndReason))()
    if (await within(left(), ending, work)) return
    session.state.cutShort = 'beforeTermination'
    session.log.warn('beforeTermination did not end in time.')
  } catch (thrown) {
    noteError(session.state, thrown)
    session.log.error({ stack: session.state.errorMsg }, 'beforeTermination failed.')
  }
}
