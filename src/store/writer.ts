import type { Log } from '../contract.js'
import { HysasError, messageOf } from '../errors.js'
import type { EventStore, StoredEvent } from './types.js'

/** Where events wait until they are written. */
export interface OutboxSource {
  /** Am I the one who writes now? Takes the place if it is free, and keeps it for some seconds. */
  lease(): Promise<boolean>
  /** Lets another have the place. */
  release(): Promise<void>
  /** The oldest first, or the oldest with an id above `after`; they stay. */
  read(max: number, after?: string): Promise<StoredEvent[]>
  /** Of the oldest, as they were read. */
  remove(ids: readonly string[]): Promise<void>
  /** How many wait; and how many were ever dropped because too many waited, or removed by a writer, whoever it was. */
  size(): Promise<{ waiting: number; dropped: number; written: number }>
  /** Resolves after `ms`, or when the signal aborts. Never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

export interface WriterState {
  /** This process has the place of the writer. */
  writing: boolean
  /** Events that wait, as last seen. */
  lag: number
  /** Events that were lost since the fleet began, because the database was away too long. */
  dropped: number
  /** Why the last try failed; empty when it went well. */
  lastError: string
  /** Unix ms since which `writing` and the presence of an error are as they are. */
  since: number
}

export interface WriterOptions {
  /** Opens the store. The writer closes it, and opens it anew after an error. */
  store: () => Promise<EventStore>
  source: OutboxSource
  log: Log
  /** Events in one transaction. Default 2000. */
  batch?: number
  /** Called with each change of the state. */
  onState?: (state: WriterState) => void
}

export interface Writer {
  start(): void
  /** Writes what waits, for two seconds at most, gives up the place and closes the store. */
  stop(): Promise<void>
  state(): WriterState
}

/** Place and backlog are looked at no more often than this, ms: far more often than the place ends. */
const LOOK_MS = 500
/** Pauses in ms: little or nothing waits; much comes, though not yet another full batch; another one writes. */
const IDLE_MS = 100
const BUSY_MS = 20
const STANDBY_MS = 2000
/** Events of one batch that are much. */
const MUCH = 100
/** After an error: doubles from the first to the last. */
const BACKOFF_MS = [1000, 15_000] as const
/** A database that has not answered by then counts as away. */
const APPEND_MS = 30_000
const FLUSH_MS = 2000
/** A stop doesn't wait longer than this for a Redis or database that hangs. */
const STOP_MS = 5000

/**
 * Moves events from the outbox to the store, while this process has the place of the writer. An event is removed from
 * the outbox only after it is in the store; the store skips what it has already. So nothing is lost or doubled, whatever
 * of the two goes away in between. `start` and `stop` may be called twice.
 */
export function createWriter(options: WriterOptions): Writer {
  const { source, log, batch = 2000 } = options
  let state: WriterState = { writing: false, lag: 0, dropped: 0, lastError: '', since: Date.now() }
  let store: EventStore | undefined
  let lookedAt = Number.NEGATIVE_INFINITY
  /** How many had been written when this one could not. */
  let writtenAtError: number | undefined
  /** The batch after the one that is being written: it comes while that one is written. */
  let ahead: Promise<StoredEvent[]> | undefined
  /** Of the batch that was written last; the next doesn't wait for it. */
  let removal: Promise<void> | undefined
  let current: { ending: AbortController; done: Promise<void>; stopping?: Promise<void> } | undefined

  function start(): void {
    if (current && !current.ending.signal.aborted) return
    const before = current?.stopping
    const ending = new AbortController()
    current = { ending, done: Promise.resolve(before).then(() => run(ending.signal)) }
  }

  async function stop(): Promise<void> {
    if (!current) return
    const { ending, done } = current
    current.stopping ??= limited(done, STOP_MS).catch(() => {})
    ending.abort()
    await current.stopping
  }

  async function run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      try {
        const pause = await step()
        failures = 0
        if (pause) await source.wait(pause, signal)
      } catch (error) {
        await stepBack(error)
        await source.wait(Math.min(BACKOFF_MS[0] * 2 ** failures++, BACKOFF_MS[1]), signal)
      }
    }
    await flush()
    ahead = undefined
    await closeStore()
    await source.release().catch(() => {}) // it ends by itself
    change({ writing: false })
  }

  /** Moves one batch. Returns the ms to wait before the next. */
  async function step(): Promise<number> {
    if (!(await mayWrite())) {
      ahead = undefined
      await closeStore()
      return STANDBY_MS
    }
    // Opened also when nothing waits, so that a database that can't be used is known before it is needed.
    store ??= await open()
    const events = await nextBatch()
    if (events.length) {
      await limited(store.append(events), APPEND_MS)
      await removed()
      removal = source.remove(events.map(({ id }) => id))
      removal.catch(() => {}) // whoever awaits it is told
    }
    if (!ahead) await removed()
    if (state.lastError) log.info({ afterMs: Date.now() - state.since }, 'the event store can be written again')
    change({ lastError: '', lag: Math.max(0, state.lag - events.length) })
    writtenAtError = undefined
    if (events.length === batch) return 0
    return events.length < MUCH ? IDLE_MS : BUSY_MS
  }

  /** What is to be written now. While there is more than that, the next is asked for already. */
  async function nextBatch(): Promise<StoredEvent[]> {
    const events = await (ahead ?? source.read(batch))
    ahead = events.length === batch ? source.read(batch, events.at(-1)?.id) : undefined
    ahead?.catch(() => {}) // whoever awaits it is told
    // out with it, before a database within this process keeps the event loop
    if (ahead) await new Promise((resolve) => setImmediate(resolve))
    return events
  }

  async function removed(): Promise<void> {
    const removing = removal
    removal = undefined
    await removing
  }

  /** Has this process the place? Asked anew where it has not been for a while. */
  async function mayWrite(): Promise<boolean> {
    if (state.writing && performance.now() - lookedAt < LOOK_MS) return true
    const writing = await source.lease()
    const { waiting, dropped, written } = await source.size()
    tellOfDropped(dropped)
    // that another can write is known by what it has written since
    if (state.lastError) writtenAtError ??= written
    const othersWrite = !writing && (!waiting || written > (writtenAtError ?? written))
    change({ writing, lag: waiting, dropped, ...(othersWrite ? { lastError: '' } : {}) })
    if (!state.lastError) writtenAtError = undefined
    lookedAt = performance.now()
    return writing
  }

  async function open(): Promise<EventStore> {
    const opening = options.store()
    try {
      return await limited(opening, APPEND_MS)
    } catch (error) {
      // One that opens too late after all has no user.
      opening.then((late) => late.close()).catch(() => {}) // told by the error above
      throw error
    }
  }

  /** Another node may still reach the database, so it gets the place. */
  async function stepBack(error: unknown): Promise<void> {
    const { code, remedy } = error instanceof HysasError ? error : { code: undefined, remedy: undefined }
    const level = state.lastError ? 'debug' : 'error'
    log[level]({ reason: messageOf(error), code, remedy }, 'events can not be written now; they wait in Redis')
    change({ writing: false, lastError: messageOf(error) || 'unknown' })
    ahead = removal = undefined
    await closeStore()
    await limited(source.release(), FLUSH_MS).catch(() => {}) // it ends by itself
  }

  /** At the end of the last node nobody else would write what waits, until the next begins. */
  async function flush(): Promise<void> {
    const end = Date.now() + FLUSH_MS
    try {
      while (!state.lastError && Date.now() < end && (await step()) === 0);
      await removed()
    } catch (error) {
      log.debug({ reason: messageOf(error) }, 'the last events stay in Redis')
    }
  }

  async function closeStore(): Promise<void> {
    const closing = store
    store = undefined
    await closing?.close().catch((error: unknown) => log.debug({ reason: messageOf(error) }, 'closing the event store'))
  }

  function tellOfDropped(dropped: number): void {
    const more = dropped - state.dropped
    if (more > 0)
      log.error({ dropped, more }, 'events were lost: more waited for the event store than the outbox holds')
  }

  function change(now: Partial<WriterState>): void {
    const next = { ...state, ...now }
    const turned = next.writing !== state.writing || !next.lastError !== !state.lastError
    if (!turned && next.lag === state.lag && next.dropped === state.dropped && next.lastError === state.lastError)
      return
    state = turned ? { ...next, since: Date.now() } : next
    options.onState?.(state)
  }

  return { start, stop, state: () => state }
}

async function limited<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
