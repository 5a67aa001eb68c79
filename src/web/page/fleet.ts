import type { GoneNode, NodeView, TypeView } from '../../fleet/views.js'
import type { StoredEvent } from '../../store/types.js'
import type { Flow } from '../flow-rates.js'
import type { Frames } from '../frames.js'
import type { Total } from '../history.js'
import { newestOf } from '../newest.js'
import type { LiveWorker } from '../picture.js'
import { API } from './api.js'
import { refusalOf } from './refusal.js'
import { SILENT_MS } from './silence.js'
import { instant, stamped } from './stamp.js'

/** A worker, with the `performance.now()` of its last heartbeat by our own clock. */
export interface PageWorker extends LiveWorker {
  beatAt: number | null
  /** The same as `Date.now()`: the two go apart while the computer sleeps. */
  beatTime: number | null
  /** `performance.now()` at which messages were last seen to come or go; null: not while this page was open. */
  flowedAt: number | null
  /** `performance.now()` since when this page has watched this run without a break: what flowed before, it can not know. */
  watchedAt: number
  /** `Date.now()` at which it lost messages, or was seen to; null: it has not, or nobody knows when. */
  lostAt: number | null
  /** The same of messages that came faster than it takes them. */
  droppedAt: number | null
}
/** `lost`: no connection. `stale`: a connection, but the node itself has no Redis. `denied`: the token isn't valid any more. */
export type Link = 'connecting' | 'live' | 'lost' | 'stale' | 'denied'
export interface Fleet {
  link: Link
  /** Why the node gives this page no stream; empty: it does, or nobody knows. */
  refusal: string
  /** Has all of it been read? Before, nobody knows whether there are workers and nodes. */
  known: boolean
  /** When what is shown was last known to be true. */
  asOf: Date
  name: string
  /** The node that serves this page. */
  servedBy: string
  workers: ReadonlyMap<string, PageWorker>
  nodes: readonly NodeView[]
  /** Nodes that are gone without having said so. */
  gone: readonly GoneNode[]
  types: readonly TypeView[]
  flows: readonly Flow[]
  events: readonly StoredEvent[]
  /** Messages per second over the fleet, now and in the last quarter of an hour. Times by this page's clock, oldest first. */
  total: { in: number; out: number }
  history: readonly Total[]
}

const EVENTS = 200
/** As the node keeps it: a quarter of an hour. */
const HISTORY_MS = 900_000
const HISTORY_EVERY_MS = 5_000
/** A snapshot has all of the fleet: it may take its time, once the connection is open, or it has been announced. */
const FIRST_MS = 60_000
const RETRY_MS = 2_000
/** A page in the background lets its stream go: a browser has six connections to a node for all its pages. */
const HIDDEN_MS = 10_000

let fleet: Fleet = {
  ...{ link: 'connecting', refusal: '', known: false, asOf: new Date(), name: '', servedBy: '' },
  ...{ workers: new Map(), nodes: [], gone: [], types: [], flows: [] },
  ...{ events: [], total: { in: 0, out: 0 }, history: [] },
}
const listeners = new Set<(fleet: Fleet) => void>()
/** When the server was heard last, and when what is shown was last known to be true. */
let heardAt = instant()
let trueAt = heardAt

export const currentFleet = (): Fleet => fleet

/** `performance.now()` of what is shown: while the connection is lost, ages don't grow of what nobody knows. */
export const shownAt = (): number => (fleet.link === 'live' ? performance.now() : trueAt.running)

/** Hears the stream from now on, for as long as the page is open. Returns how to stop. */
export function follow(listener: (fleet: Fleet) => void): () => void {
  listeners.add(listener)
  const connection = connect()
  const sampling = setInterval(sample, 1000)
  return () => {
    listeners.delete(listener)
    clearInterval(sampling)
    connection.close()
  }
}

function change(part: Partial<Omit<Fleet, 'asOf'>>, staleMs = 0): void {
  if ((part.link ?? fleet.link) === 'live') trueAt = heardAt
  else if (staleMs > 0) trueAt = instant(staleMs)
  fleet = { ...fleet, ...part, asOf: new Date(trueAt.wall) }
  for (const listener of listeners) listener(fleet)
}

/** Also notices a connection that is open but silent, and comes back by itself. While nobody looks, there is none. */
function connect(): { close(): void } {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let hiding: ReturnType<typeof setTimeout> | undefined
  let resting = false
  let opened = false
  /** Of what is open or about to be: whoever waited for an answer meanwhile must not open another. */
  let turn = 0

  const end = () => {
    turn++
    source?.close()
    clearTimeout(timer)
  }
  const lose = () => {
    end()
    change({ link: 'lost' })
    timer = setTimeout(again, RETRY_MS)
  }
  const again = async () => {
    end()
    const mine = turn
    const refusal = (await refusalOf('/session')) ?? (opened ? undefined : await refusalOf('/stream'))
    if (turn !== mine) return
    if (!refusal) return open()
    change(refusal.status === 401 ? { link: 'denied' } : { link: 'lost', refusal: refusal.text })
    timer = setTimeout(again, refusal.retryMs ?? RETRY_MS)
  }
  const rest = () => {
    end()
    resting = true
    if (fleet.link !== 'denied') change({ link: 'lost' })
  }
  const look = () => {
    clearTimeout(hiding)
    if (document.hidden) hiding = setTimeout(rest, HIDDEN_MS)
    else if (resting) {
      resting = false
      if (fleet.link === 'denied') again()
      else open()
    }
  }
  const heard = () => {
    heardAt = instant()
    wait()
  }
  const wait = (silentMs = SILENT_MS) => {
    clearTimeout(timer)
    timer = setTimeout(lose, silentMs)
  }
  const open = () => {
    end()
    opened = false
    source = new EventSource(`${API}/stream`)
    source.onerror = lose
    source.onopen = () => {
      opened = true
      wait(FIRST_MS)
    }
    wait()
    const on = <K extends keyof Frames>(what: K, take: (data: Frames[K]) => void) => {
      source?.addEventListener(what, (message) => {
        heard()
        take(JSON.parse(message.data) as Frames[K])
      })
    }
    source.addEventListener('ping', ({ data }) => {
      heard()
      if (JSON.parse(data).snapshot) wait(FIRST_MS)
      change({})
    })
    on('snapshot', (data) => {
      const { fleet: name, node: servedBy, state, workers, history, now, ...rest } = data
      const shift = Date.now() - now // its clock may differ from ours
      const link: Link = state.live ? 'live' : 'stale'
      // while there was no connection, nobody watched
      const unbroken = fleet.link === 'live'
      const read = {
        ...rest,
        name,
        servedBy,
        link,
        refusal: '',
        // where Redis was away before anything was read, an empty fleet is no news of it
        known: state.live || fleet.known || rest.nodes.length > 0,
        history: history.map((total) => ({ ...total, time: total.time + shift })),
        workers: new Map(
          workers.map((worker) => [worker.nickname, stamped(worker, fleet.workers.get(worker.nickname), unbroken)]),
        ),
      }
      change(read, state.staleMs)
    })
    on('workers', ({ changed, gone }) => {
      const workers = new Map(fleet.workers)
      for (const patch of changed) {
        const before = workers.get(patch.nickname)
        workers.set(patch.nickname, stamped({ ...before, ...patch } as LiveWorker, before))
      }
      for (const nickname of gone) workers.delete(nickname)
      change({ workers })
    })
    on('nodes', (nodes) => change({ nodes }))
    on('gone', (gone) => change({ gone }))
    on('types', (types) => change({ types }))
    on('flows', (flows) => change({ flows }))
    on('events', (events) => {
      change({ events: newestOf(fleet.events, events, EVENTS).all })
    })
    on('state', ({ live, staleMs }) => {
      change({ link: live ? 'live' : 'stale', known: fleet.known || live }, staleMs)
    })
  }
  document.addEventListener('visibilitychange', look)
  open()
  look()
  return {
    close() {
      document.removeEventListener('visibilitychange', look)
      clearTimeout(hiding)
      end()
    },
  }
}

export const isBroken = ({ error, nodes }: TypeView): boolean => error !== '' || nodes.some((on) => on.error !== '')

function sample(): void {
  if (fleet.link !== 'live') return
  let into = 0
  let out = 0
  for (const { rate_in, rate_out, status } of fleet.workers.values()) {
    if (status !== 'started') continue
    into += rate_in
    out += rate_out
  }
  const total = { in: into, out }
  const time = Date.now()
  const due = time - (fleet.history.at(-1)?.time ?? 0) >= HISTORY_EVERY_MS
  const recent = fleet.history.filter((one) => time - one.time < HISTORY_MS)
  change({ total, history: due ? [...recent, { time, ...total }] : fleet.history })
}
