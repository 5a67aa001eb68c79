import type { Redis } from 'ioredis'
import type { ProcessorManifest } from '../contract.js'
import { redisNowMs } from '../redis/fleet-scripts.js'
import type { Names } from '../redis/names.js'
import type { GoneNode, NodeView, TypeView } from './views.js'

/** One processor as a node offers it: its manifest and where it is from. */
export interface OfferedType extends ProcessorManifest {
  version: string
  file: string
  error: string
  /** Unix seconds; null where it is well. */
  error_since: number | null
  builtin: boolean
  /** False where no version of it was ever good: it can't be started. */
  usable: boolean
}

export interface NodeEntry extends NodeView {
  offered: Record<string, OfferedType>
}

/** All nodes that are up by Redis's clock, sorted by name. */
export async function readNodes(redis: Redis, names: Names): Promise<NodeEntry[]> {
  const now = await redisNowMs(redis)
  const live = await redis.zrangebyscore(names.nodes, now, '+inf')
  const hashes = await Promise.all(live.map((name) => redis.hgetall(names.node(name))))
  return live
    .flatMap((name, i) => (hashes[i]?.token ? [entryOf(name, hashes[i])] : []))
    .sort((a, b) => a.name.localeCompare(b.name))
}

/** Nodes that are gone without having said so, and not yet forgotten (an hour). */
export async function readGoneNodes(redis: Redis, names: Names): Promise<GoneNode[]> {
  const now = await redisNowMs(redis)
  const silent = await redis.zrangebyscore(names.nodes, '-inf', `(${now}`)
  const hashes = await Promise.all(
    silent.map((name) => redis.hmget(names.node(name), 'host', 'heart_beat', 'workers', 'draining')),
  )
  return silent.flatMap((name, i) => {
    const [host, beat, workers, draining] = hashes[i] ?? []
    if (!beat || draining === '1') return [] // forgotten, or it has said so
    const age = Math.max(0, now / 1000 - Number(beat))
    return [{ name, host: host ?? '', workers: Number(workers ?? 0), heart_beat: Number(beat), age }]
  })
}

/** What the entries offer together: the version of each type is that of the most recently started node that has it good. */
export function typesOf(nodes: readonly NodeEntry[], wanted: readonly { type: string }[]): TypeView[] {
  const byType = new Map<string, TypeView>()
  for (const node of [...nodes].sort((a, b) => b.started_at - a.started_at)) {
    for (const [type, offer] of Object.entries(node.offered)) {
      const { usable, builtin, version, file, error, error_since = null, ...manifest } = offer
      let view = byType.get(type)
      if (!view || (!view.version && usable)) {
        const nodes: TypeView['nodes'] = view?.nodes ?? []
        const workers = wanted.filter((worker) => worker.type === type).length
        view = {
          ...manifest,
          type,
          version,
          file,
          error: view?.error || error,
          error_since: view?.error_since ?? null,
          builtin,
          nodes,
          workers,
        }
        byType.set(type, view)
      }
      view.nodes.push({ node: node.name, version, file, error, error_since })
      view.error ||= error
      if (error_since !== null) view.error_since = Math.min(error_since, view.error_since ?? error_since)
    }
  }
  return [...byType.values()].sort((a, b) => a.type.localeCompare(b.type))
}

/** The offer of a type that commands are checked against, or undefined where no live node has it. */
export function offerOf(nodes: readonly NodeEntry[], type: string): OfferedType | undefined {
  const offers = nodes.flatMap((node) => (Object.hasOwn(node.offered, type) ? [node.offered[type] as OfferedType] : []))
  return offers.find((offer) => offer.usable) ?? offers[0]
}

function entryOf(name: string, hash: Record<string, string>): NodeEntry {
  const offered = JSON.parse(hash.types || '{}') as Record<string, OfferedType>
  const number = (field: string) => Number(hash[field] || 0)
  const broken = Object.entries(offered).flatMap(([type, { error }]) => (error ? [[type, error]] : []))
  return {
    name,
    host: hash.host ?? '',
    pid: number('pid'),
    workers: number('workers'),
    capacity: number('capacity'),
    types: Object.keys(offered).sort(),
    started_at: number('started_at'),
    heart_beat: number('heart_beat'),
    version: hash.version ?? '',
    url: hash.url ?? '',
    memory_mb: number('memory_mb'),
    loop_delay_ms: number('loop_delay_ms'),
    draining: hash.draining === '1',
    broken: Object.fromEntries(broken),
    problems: JSON.parse(hash.problems || '[]') as string[],
    problems_since: JSON.parse(hash.problems_since || '{}') as Record<string, number>,
    offered,
  }
}
