import type { Fleet, PageWorker } from './fleet.js'
import { isExpected, lookOf } from './state.js'

/** A worker, all workers of a type, or a channel that is no worker's own. */
export interface Part {
  id: string
  kind: 'worker' | 'type' | 'channel'
  name: string
  note: string
  /** As of the status: `good`, `warn`, `bad`, `off`, `busy`; `silent` where it lives and publishes nothing any more. */
  look: string
  out: number
}
export interface Edge {
  id: string
  from: string
  to: string
  rate: number
  lost: number
  lostRate: number
  channels: string[]
}
export interface Graph {
  parts: Part[]
  edges: Edge[]
}

/** Nothing for so long, ms, is silence. */
const SILENT_MS = 30_000
/** More workers than this are drawn by type. */
export const READABLE = 60

/** What was seen to flow: parts that publish or hear, and edges with what goes over them. */
export function graphOf(fleet: Fleet, by: 'worker' | 'type', keep: (worker: PageWorker) => boolean): Graph {
  const parts = new Map<string, Part>()
  const edges = new Map<string, Edge>()
  const put = (id: string, make: () => Part): Part => {
    const part = parts.get(id) ?? make()
    parts.set(id, part)
    return part
  }
  const channelOf = (name: string): Part => put(`channel ${name}`, () => channelPart(`channel ${name}`, name))
  const partOf = (name: string): Part => {
    const worker = fleet.workers.get(name)
    if (!worker) return channelOf(name)
    const id = by === 'type' ? `type ${worker.type}` : `worker ${name}`
    return put(id, () => (by === 'type' ? typePart(id, worker.type, fleet) : workerPart(id, worker)))
  }
  for (const worker of fleet.workers.values()) {
    const flows = worker.published > 0 || worker.data_feeder.length > 0
    if (keep(worker) && isExpected(worker) && flows) partOf(worker.nickname)
  }
  const addEdge = (from: Part, to: Part, channel: string, more: Pick<Edge, 'rate' | 'lost' | 'lostRate'>) => {
    const id = `${from.id} > ${to.id}`
    const edge = edges.get(id) ?? { id, from: from.id, to: to.id, rate: 0, lost: 0, lostRate: 0, channels: [] }
    edge.rate += more.rate
    edge.lost += more.lost
    edge.lostRate += more.lostRate
    if (!edge.channels.includes(channel)) edge.channels.push(channel)
    edges.set(id, edge)
  }
  for (const { from, to, channel, rate, lost, lost_rate } of fleet.flows) {
    const ends = [fleet.workers.get(from), fleet.workers.get(to)]
    if (!ends.some((worker) => worker && keep(worker))) continue
    const source = from === channel ? channelOf(channel) : partOf(from)
    addEdge(source, partOf(to), channel, { rate, lost, lostRate: lost_rate })
  }
  // a channel that is no worker's own stands between who publishes to it and who hears it
  for (const worker of fleet.workers.values()) {
    if (!isExpected(worker)) continue
    for (const channel of Object.keys(worker.published_to)) {
      if (!keep(worker) && !parts.has(`channel ${channel}`)) continue
      const rate = worker.rate_to[channel] ?? 0
      addEdge(partOf(worker.nickname), channelOf(channel), channel, { rate, lost: 0, lostRate: 0 })
    }
  }
  return { parts: [...parts.values()], edges: [...edges.values()] }
}

function workerPart(id: string, worker: PageWorker): Part {
  const { nickname, type, kind, flowedAt, watchedAt, rate_out, published } = worker
  const look = lookOf(worker)
  // one that hears has perhaps nothing to tell, and one that ticks does so now and then
  const still = performance.now() - Math.max(flowedAt ?? watchedAt, watchedAt) > SILENT_MS
  const silent = look === 'good' && kind !== 'repeatable' && published > 0 && still
  return { id, kind: 'worker', name: nickname, note: type, look: silent ? 'silent' : look, out: rate_out }
}

function typePart(id: string, type: string, fleet: Fleet): Part {
  const workers = [...fleet.workers.values()].filter((worker) => worker.type === type)
  const looks = workers.map(lookOf)
  const bad = looks.filter((look) => look === 'bad').length
  const look = bad ? 'bad' : looks.includes('warn') ? 'warn' : looks.includes('good') ? 'good' : 'off'
  const out = workers.reduce((sum, { rate_out }) => sum + rate_out, 0)
  const note = `${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}${bad ? `, ${bad} in trouble` : ''}`
  return { id, kind: 'type', name: type, note, look, out }
}

const channelPart = (id: string, name: string): Part => ({
  id,
  kind: 'channel',
  name,
  note: 'channel',
  look: 'off',
  out: 0,
})
