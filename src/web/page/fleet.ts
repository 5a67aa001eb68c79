import type { NodeView, TypeView } from '../../fleet/views.js'
import type { StoredEvent } from '../../store/types.js'
import type { Flow } from '../flow-rates.js'
import type { Frames } from '../live.js'
import type { LiveWorker } from '../picture.js'
import { addSample, forget } from './series.js'

/** A worker, with the `performance.now()` of its last heartbeat by our own clock. */
export interface PageWorker extends LiveWorker {
  beatAt: number | null
  /** `Date.now()` at which it was seen to lose messages; null: not while this page was open. */
  lostAt: number | null
}
/** `lost`: no connection. `stale`: a connection, but the node itself has no Redis. `denied`: the token isn't valid any more. */
export type Link = 'connecting' | 'live' | 'lost' | 'stale' | 'denied'
export interface Fleet {
  link: Link
  /** When what is shown was last known to be true. */
  asOf: Date
  name: string
  /** The node that serves this page. */
  servedBy: string
  workers: ReadonlyMap<string, PageWorker>
  nodes: readonly NodeView[]
  types: readonly TypeView[]
  flows: readonly Flow[]
  /** By problem of a node, the `Date.now()` at which this page first saw it. */
  problemsSince: ReadonlyMap<string, number>
  events: readonly StoredEvent[]
  /** Messages per second over the fleet, one number a second, newest last. */
  history: readonly { in: number; out: number }[]
}

const EVENTS = 200
const HISTORY = 90
/** The server pings every 3 s. */
const SILENT_MS = 9_000
const RETRY_MS = 2_000

let fleet: Fleet = {
  ...{ link: 'connecting', asOf: new Date(), name: '', servedBy: '' },
  ...{ workers: new Map(), nodes: [], types: [], flows: [] },
  ...{ problemsSince: new Map(), events: [], history: [] },
}
const listeners = new Set<(fleet: Fleet) => void>()

export const currentFleet = (): Fleet => fleet

/** `performance.now()` of what is shown: while the connection is lost, ages don't grow of what nobody knows. */
export const shownAt = (): number =>
  fleet.link === 'live' ? performance.now() : performance.now() - (Date.now() - fleet.asOf.getTime())

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

function change(part: Partial<Fleet>): void {
  const good = (part.link ?? fleet.link) === 'live'
  fleet = { ...fleet, ...part, asOf: good ? new Date() : fleet.asOf }
  for (const listener of listeners) listener(fleet)
}

/** Also notices a connection that is open but silent, and comes back by itself. */
function connect(): { close(): void } {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let closed = false

  const lose = () => {
    source?.close()
    clearTimeout(timer)
    if (closed) return
    change({ link: 'lost' })
    timer = setTimeout(async () => {
      if (await isDenied()) change({ link: 'denied' })
      if (!closed) open()
    }, RETRY_MS)
  }
  const heard = () => {
    clearTimeout(timer)
    timer = setTimeout(lose, SILENT_MS)
  }
  const open = () => {
    source = new EventSource('api/v1/stream')
    source.onerror = lose
    heard()
    const on = <K extends keyof Frames>(what: K, take: (data: Frames[K]) => void) => {
      source?.addEventListener(what, (message) => {
        heard()
        take(JSON.parse(message.data) as Frames[K])
      })
    }
    source.addEventListener('ping', () => {
      heard()
      change({})
    })
    on('snapshot', (data) => {
      const { fleet: name, node: servedBy, state, workers, ...rest } = data
      const link = state.live ? 'live' : 'stale'
      change({
        ...rest,
        name,
        servedBy,
        link,
        problemsSince: sinceOf(rest.nodes, rest.types),
        workers: new Map(
          workers.map((worker) => [worker.nickname, stamped(worker, fleet.workers.get(worker.nickname))]),
        ),
      })
    })
    on('workers', ({ changed, gone }) => {
      const workers = new Map(fleet.workers)
      for (const patch of changed) {
        const before = workers.get(patch.nickname)
        workers.set(patch.nickname, stamped({ ...before, ...patch } as LiveWorker, before))
      }
      for (const nickname of gone) {
        workers.delete(nickname)
        forget(nickname)
      }
      change({ workers })
    })
    on('nodes', (nodes) => change({ nodes, problemsSince: sinceOf(nodes, fleet.types) }))
    on('types', (types) => change({ types, problemsSince: sinceOf(fleet.nodes, types) }))
    on('flows', (flows) => change({ flows }))
    on('events', (events) => {
      const known = new Set(fleet.events.map(({ id }) => id))
      const fresh = events.filter(({ id }) => !known.has(id))
      change({ events: [...fresh, ...fleet.events].slice(0, EVENTS) })
    })
    on('state', ({ live }) => change({ link: live ? 'live' : 'stale' }))
  }
  open()
  return {
    close() {
      closed = true
      clearTimeout(timer)
      source?.close()
    },
  }
}

function stamped(worker: LiveWorker, before: PageWorker | undefined): PageWorker {
  const losing = worker.lost > 0 && worker.lost !== before?.lost
  const lostAt = losing ? Date.now() : worker.lost > 0 ? (before?.lostAt ?? null) : null
  return { ...worker, lostAt, beatAt: worker.age === null ? null : performance.now() - worker.age * 1000 }
}

/** When each problem of a node and each broken processor was first seen; those that are over are forgotten. */
function sinceOf(nodes: readonly NodeView[], types: readonly TypeView[]): Map<string, number> {
  const now = [
    ...nodes.flatMap(({ problems }) => problems),
    ...types.filter(isBroken).map(({ type }) => `type ${type}`),
  ]
  return new Map(now.map((problem) => [problem, fleet.problemsSince.get(problem) ?? Date.now()]))
}

export const isBroken = ({ error, nodes }: TypeView): boolean => error !== '' || nodes.some((on) => on.error !== '')

function sample(): void {
  if (fleet.link !== 'live') return
  let into = 0
  let out = 0
  const time = Date.now()
  for (const { nickname, rate_in, rate_out, memory_mb, loop_delay_ms, status } of fleet.workers.values()) {
    if (status !== 'started') continue
    into += rate_in
    out += rate_out
    addSample(nickname, { time, in: rate_in, out: rate_out, memory: memory_mb ?? 0, delay: loop_delay_ms ?? 0 })
  }
  change({ history: [...fleet.history, { in: into, out }].slice(-HISTORY) })
}

async function isDenied(): Promise<boolean> {
  try {
    return (await fetch('api/v1/session', { signal: AbortSignal.timeout(RETRY_MS) })).status === 401
  } catch {
    return false
  }
}
