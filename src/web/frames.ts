import type { GoneNode, NodeView, TypeView } from '../client.js'
import type { StoredEvent } from '../store/types.js'
import type { Flow } from './flow-rates.js'
import type { Total } from './history.js'
import type { Changes, LiveWorker } from './picture.js'

/** Whether Redis answers the node, and for how long it hasn't. */
export interface State {
  live: boolean
  staleMs: number
}
export interface Snapshot {
  fleet: string
  /** The node that serves the page. */
  node: string
  state: State
  workers: LiveWorker[]
  nodes: NodeView[]
  /** Without having said so. */
  gone: GoneNode[]
  types: TypeView[]
  flows: Flow[]
  /** Newest first. */
  events: StoredEvent[]
  /** Of the last quarter of an hour, oldest first; and what the clock of the node says now, Unix ms. */
  history: readonly Total[]
  now: number
}
/** What a page is told: first the snapshot, which replaces all it knows; then what changes of it. */
export interface Frames {
  snapshot: Snapshot
  workers: Changes
  nodes: NodeView[]
  gone: GoneNode[]
  types: TypeView[]
  flows: Flow[]
  events: StoredEvent[]
  state: State
}
