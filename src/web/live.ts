import type { Client, GoneNode, NodeView, TypeView } from '../client.js'
import type { Log } from '../contract.js'
import type { EventStore, StoredEvent } from '../store/types.js'
import { FlowRates } from './flow-rates.js'
import type { Frames, Snapshot, State } from './frames.js'
import type { Total } from './history.js'
import { newestOf } from './newest.js'
import { Picture } from './picture.js'
import { pause, soon } from './soon.js'

export type Listener = <K extends keyof Frames>(what: K, data: Frames[K]) => void

/** How often changes go out; the node list is read, which also shows that Redis answers; all is read anew. */
const FLUSH_MS = 500
const NODES_MS = 2_000
const ALL_MS = 10_000
const RETRY_MS = 1_000
/** Who hears whom is read so often at most, and so rarely that it takes no more than a twentieth of the time. */
const FLOWS_MS = 2_000
const FLOWS_SHARE = 20
const EVENTS = 100
/** The first snapshot waits no longer for events: the event store may be slow or away while all else is there. */
const EVENTS_WAIT_MS = 1_000

/** What an event has that doesn't say otherwise. */
const BARE_EVENT: StoredEvent = {
  ...{ id: '', time: 0, kind: '', severity: 'info', type: '', nickname: '', node: '', epoch: null },
  ...{ source: '', message: '', data: null, key: '' },
}

export interface LiveOptions {
  client: Client
  store: () => Promise<EventStore>
  fleet: string
  node: string
  history: () => readonly Total[]
  log: Log
}

/**
 * The picture of the fleet that all open pages share: one `client.watch` for the node however many pages there are,
 * and none while there is no page.
 */
export class Live {
  readonly #of: LiveOptions
  readonly #listeners = new Set<Listener>()
  readonly #picture = new Picture()
  #nodes: NodeView[] = []
  #gone: GoneNode[] = []
  #types: TypeView[] = []
  readonly #flows = new FlowRates()
  #flowsDue = 0
  #events: StoredEvent[] = []
  #eventsMissing = false
  #live = true
  #lastGood = performance.now()
  #running: { end: AbortController; done: Promise<void>; filled: Promise<void> } | undefined

  constructor(of: LiveOptions) {
    this.#of = of
  }

  /** Hears all frames from now on. The first listener sets the watching going, the last one ends it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    this.#running ??= this.#begin()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) void this.#end()
    }
  }

  /** All that is known; at the first time, once it is known. */
  async snapshot(): Promise<Snapshot> {
    await this.#running?.filled
    const { fleet, node, history } = this.#of
    const state = this.#state()
    return {
      ...{ fleet, node, state },
      ...{ workers: this.#picture.workers(), nodes: this.#nodes, gone: this.#gone, types: this.#types },
      ...{ flows: this.#flows.now(), events: this.#events },
      ...{ history: history(), now: Date.now() },
    }
  }

  close(): Promise<void> {
    this.#listeners.clear()
    return this.#end()
  }

  #begin() {
    const end = new AbortController()
    const filled = this.#fill(end.signal)
    return { end, filled, done: filled.then(() => this.#run(end.signal)) }
  }

  async #end(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    running?.end.abort()
    await running?.done
  }

  async #fill(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#attempt(() => this.#readAll()),
      this.#readFlows(),
      Promise.race([this.#readEvents(), pause(EVENTS_WAIT_MS, signal)]),
    ])
    this.#picture.changes() // all of it is in the snapshot that waits for this
  }

  async #run(signal: AbortSignal): Promise<void> {
    const workers = soon(200, () => this.#attempt(() => this.#readWorkers()), signal)
    const all = soon(200, () => this.#attempt(() => this.#readAll()), signal)
    const events = soon(200, () => this.#readEvents(), signal)
    const gap = () => {
      workers()
      events()
    }
    const allAndEvents = () => {
      all()
      events()
    }
    const timers = [
      setInterval(() => this.#flush(), FLUSH_MS),
      setInterval(() => this.#attempt(() => this.#readNodes()), NODES_MS),
      setInterval(() => this.#readFlows(), FLOWS_MS),
      setInterval(allAndEvents, ALL_MS),
    ]
    while (!signal.aborted) {
      try {
        for await (const { what, data } of this.#of.client.watch({ signal, gap })) {
          if (what === 'event') this.#addEvents(isObject(data) ? [{ ...BARE_EVENT, ...data }] : [])
          else if (what === 'beat') this.#picture.beat(data) || workers()
          else if (what === 'node') all()
          else workers()
        }
      } catch (err) {
        if (!signal.aborted) this.#of.log.debug({ err }, 'watching the fleet was interrupted')
      }
      await pause(RETRY_MS, signal)
      allAndEvents() // what happened meanwhile was not heard
    }
    for (const timer of timers) clearInterval(timer)
  }

  /** Runs a read; whether it succeeds tells whether Redis is there. */
  async #attempt(read: () => Promise<void>): Promise<void> {
    let live = true
    try {
      await read()
      // where all was away, one part of it alone would be told as the whole fleet
      if (!this.#live) await this.#readAll()
      this.#lastGood = performance.now()
    } catch (err) {
      this.#of.log.debug({ err }, 'the page could not be brought up to date')
      live = false
    }
    // as it was told last, now: other reads may have ended meanwhile
    if (live === this.#live) return
    this.#live = live
    if (live) this.#flush()
    this.#tell('state', this.#state())
  }

  async #readAll(): Promise<void> {
    await Promise.all([this.#readWorkers(), this.#readNodes(), this.#readTypes()])
  }

  async #readWorkers(): Promise<void> {
    this.#picture.replace(await this.#of.client.list())
  }

  async #readNodes(): Promise<void> {
    const { client } = this.#of
    const [nodes, gone] = await Promise.all([client.nodes(), client.goneNodes()])
    this.#nodes = nodes
    this.#tell('nodes', nodes)
    const differs = namesOf(gone) !== namesOf(this.#gone)
    this.#gone = gone
    if (differs) this.#tell('gone', gone)
  }

  /** Where it is due. What is not read proves nothing of Redis. */
  async #readFlows(): Promise<void> {
    const begun = performance.now()
    if (begun < this.#flowsDue) return
    this.#flowsDue = Number.POSITIVE_INFINITY
    await this.#attempt(async () => {
      if (this.#flows.take(await this.#of.client.flows(this.#picture.workers()))) this.#tell('flows', this.#flows.now())
    })
    const now = performance.now()
    this.#flowsDue = now + Math.max(FLOWS_MS - 50, FLOWS_SHARE * (now - begun))
  }

  async #readTypes(): Promise<void> {
    const types = await this.#of.client.types()
    if (JSON.stringify(types) === JSON.stringify(this.#types)) return
    this.#types = types
    this.#tell('types', types)
  }

  /** The event store may be away while all else is there. */
  async #readEvents(): Promise<void> {
    try {
      this.#addEvents(await (await this.#of.store()).find({ limit: EVENTS }))
      this.#eventsMissing = false
    } catch (err) {
      const level = this.#eventsMissing ? 'debug' : 'warn'
      this.#eventsMissing = true
      this.#of.log[level]({ err }, 'the page shows no older events: the event store can not be read')
    }
  }

  #addEvents(events: readonly StoredEvent[]): void {
    const { all, fresh } = newestOf(this.#events, events, EVENTS)
    this.#events = all
    if (fresh.length) this.#tell('events', fresh)
  }

  #flush(): void {
    // while Redis is away, silence tells nothing
    if (this.#live) this.#picture.judge(new Set(this.#nodes.map(({ name }) => name)))
    const changes = this.#picture.changes()
    if (changes) this.#tell('workers', changes)
  }

  #tell: Listener = (what, data) => {
    for (const listener of this.#listeners) listener(what, data)
  }

  #state(): State {
    return { live: this.#live, staleMs: this.#live ? 0 : Math.round(performance.now() - this.#lastGood) }
  }
}

const namesOf = (gone: readonly GoneNode[]): string => gone.map(({ name }) => name).join()
const isObject = (data: unknown): data is object => typeof data === 'object' && data !== null
