/** One row of the event store. `kind` names what happened, the rest says to whom. */
export interface StoredEvent {
  /** Id of the entry in the Redis stream it came by: unique, rising, so that a replay changes nothing. */
  id: string
  /** Unix ms, Redis's clock: that of the id. What is stored has it from there. */
  time: number
  /** `started`, `stopped`, `crashed`, `disappeared`, `moved`, `failed`, `command`, `alert`, `repair`, ... */
  kind: string
  severity: 'info' | 'warning' | 'error' | 'critical'
  /** Worker that it is about or that recorded it; empty where none. */
  type: string
  nickname: string
  node: string
  epoch: number | null
  /** Whom an alert is about (an address), or who gave a command. */
  source: string
  message: string
  data: unknown
  /** A second event of the same nickname and key is dropped; empty: none. */
  key: string
}

/** All given conditions must hold. Newest first, unless `after` (then oldest first). */
export interface EventQuery {
  kind?: string | readonly string[]
  nickname?: string
  type?: string
  source?: string
  severity?: string | readonly string[]
  /** Unix ms, inclusive. */
  since?: number
  until?: number
  /** Only events with an id above it (rising): for following. */
  after?: string
  /** Only events with an id below it: for paging back. */
  before?: string
  /** Default 100, at most 10,000. */
  limit?: number
}

export interface EventStore {
  readonly kind: 'mysql' | 'sqlite'
  /** Without password. */
  readonly where: string
  /** Writes a batch in one transaction; events whose id or (nickname, key) is there already are skipped. Returns how many were new. */
  append(events: readonly StoredEvent[]): Promise<number>
  find(query: EventQuery): Promise<StoredEvent[]>
  /** Number of events per bucket of `bucketMs` and kind (for charts), oldest first; of more than `limit` (default 10,000) the newest. */
  countByTime(query: EventQuery & { bucketMs: number }): Promise<{ time: number; kind: string; count: number }[]>
  /** Removes events older than `time` (Unix ms). Returns how many. A key that was removed may come again. */
  prune(time: number): Promise<number>
  close(): Promise<void>
}
