import type { Context, EndReason } from '../contract.js'
import { createContext } from './context.js'
import { type Ending, within } from './ending.js'
import type { Home } from './home.js'
import { openListening } from './listening.js'
import type { Repeatable } from './loading.js'
import type { Session } from './session.js'
import { noteError } from './state.js'
import { createTickFields, type TickFields } from './tick-fields.js'

/** What lasts from tick to tick of a repeatable worker, for as long as its child holds the name. */
export interface Epoch {
  readonly session: Session
  /** Checked, with defaults filled in. */
  params: Record<string, unknown>
  /** Of the parameters as they were given: they are checked only when they have changed. */
  paramsText: string
  /** The worker was at work with them before this epoch. */
  proven: boolean
  /** Why they are refused now: each tick fails with it. */
  refusal: { thrown: unknown } | undefined
  /** Unix ms at which the tick before was due. */
  lastDue: number | undefined
  /** Ticks that had been left out by then. */
  lastSkipped: number
  hears(): string[]
  /** The context of one tick; `release` ends what the tick has subscribed to. */
  contextOf(params: Record<string, unknown>, ending: Ending): { ctx: Context; release(): Promise<unknown> | undefined }
  /** What of the Info hash a tick has changed. */
  readonly changes: TickFields
  beforeTermination(reason: EndReason, ending: Ending): Promise<void>
  close(): Promise<void>
}

/** A repeatable worker hears its Command channel too, between its ticks as well. */
export function openEpoch(home: Home, session: Session, processor: Repeatable): Epoch {
  let ctx: Context | undefined
  let released = true
  let current: Ending | undefined
  const listening = openListening({
    home,
    session,
    processor: {},
    ctx: () => ctx as Context, // there from the first tick on, before anything is handed out
    aborted: () => released || current?.reason !== undefined,
    onChange: () => {},
  })
  const { hearing } = listening
  session.state.extra = { ticks: 0, missed: 0 }

  return {
    session,
    paramsText: '',
    proven: false,
    refusal: undefined,
    lastDue: undefined,
    lastSkipped: 0,
    params: {},
    hears: hearing.names,
    changes: createTickFields(session, hearing.names),
    contextOf(params, ending) {
      const subscriptions: { unsubscribe(): Promise<void> }[] = []
      let over = false
      const isFirst = !ctx
      ctx = createContext({
        session,
        names: home.names,
        params,
        ending,
        async subscribe(source, handler) {
          const subscription = await hearing.add(source, handler)
          // one that is confirmed after its tick has nobody else to end it
          if (over) await subscription.unsubscribe()
          else subscriptions.push(subscription)
          return subscription
        },
      })
      released = false
      current = ending
      if (isFirst) {
        hearing.open()
        listening.tap().catch(() => {}) // it was closed before it heard anything
      }
      return {
        ctx,
        release() {
          over = released = true
          if (subscriptions.length === 0) return undefined
          return Promise.allSettled(subscriptions.map((subscription) => subscription.unsubscribe()))
        },
      }
    },
    async beforeTermination(reason, ending) {
      const hook = (processor as Hooked).beforeTermination
      if (!hook || !ctx) return
      const present = ctx
      const graceMs = (processor.graceSeconds ?? 10) * 1000
      try {
        await within(graceMs / 2, ending, (async () => hook(present, reason))())
      } catch (thrown) {
        noteError(session.state, thrown)
        session.log.error({ stack: session.state.errorMsg }, 'beforeTermination failed.')
      }
    },
    async close() {
      listening.close()
      await hearing.close()
      await session.close()
    },
  }
}

/** `defineProcessor` refuses the hook for repeatable processors as yet. */
interface Hooked {
  beforeTermination?: (ctx: Context, reason: EndReason) => unknown
}
