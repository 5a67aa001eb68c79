import type { Context } from '../contract.js'
import type { Ending } from './ending.js'
import type { Heartbeat } from './heartbeat.js'
import type { Home, Send } from './home.js'
import type { Listening } from './listening.js'
import type { LongRunning } from './loading.js'
import type { Parts } from './parts.js'
import type { Session } from './session.js'

/** One run of a long-running worker, with all that belongs to it. */
export interface Life {
  readonly home: Home
  readonly send: Send
  readonly session: Session
  readonly processor: LongRunning
  readonly ending: Ending
  readonly parts: Parts
  readonly listening: Listening
  readonly heartbeat: Heartbeat
  readonly ctx: Context
}
