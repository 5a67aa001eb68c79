import type { Redis } from 'ioredis'
import type { Isolation, ProcessorManifest, Status } from '../contract.js'
import { redisNowMs } from '../redis/fleet-scripts.js'
import type { Names } from '../redis/names.js'
import { inPipeline } from '../redis/pipeline.js'
import { readForeignWorkers } from './foreign.js'
import { lifeOf } from './life.js'
import { type Hash, readStandings } from './standings.js'
import type { WorkerView } from './views.js'

/** Workers in one pipeline: enough to be quick, few enough not to hold Redis up. */
const BATCH = 200

/** All workers of the fleet, stopped ones included, sorted by nickname. */
export async function readWorkers(redis: Redis, names: Names): Promise<WorkerView[]> {
  const nicknames = (await redis.smembers(names.workers)).sort()
  const views: WorkerView[] = []
  for (let i = 0; i < nicknames.length; i += BATCH) {
    views.push(...(await readBatch(redis, names, nicknames.slice(i, i + BATCH))))
  }
  const foreign = await readForeignWorkers(redis, names, await redisNowMs(redis))
  return foreign.length ? [...views, ...foreign].sort((a, b) => (a.nickname < b.nickname ? -1 : 1)) : views
}

/** One worker, or undefined where there never was one of the name. */
export async function readWorker(redis: Redis, names: Names, nickname: string): Promise<WorkerView | undefined> {
  const [view] = await readBatch(redis, names, [nickname])
  return view ?? (await readForeignWorkers(redis, names, await redisNowMs(redis), nickname))[0]
}

/** Nicknames, types and revisions of what should run: what nodes and reconciler compare with. */
export async function readWanted(
  redis: Redis,
  names: Names,
): Promise<{ nickname: string; type: string; revision: number; kind: string; since: number }[]> {
  const nicknames = await redis.smembers(names.wanted)
  const rows = await inPipeline(redis, nicknames, (pipeline, nickname) =>
    pipeline.hmget(names.worker(nickname), 'type', 'revision', 'kind', 'since'),
  )
  return nicknames.flatMap((nickname, i) => {
    const [type, revision, kind, since] = (rows[i] ?? []) as (string | null)[]
    if (!type || !revision) return []
    return [{ nickname, type, revision: Number(revision), kind: kind ?? '', since: Number(since ?? 0) }]
  })
}

/** All fields of all wanted workers, as they stand in Redis. */
export async function readWantedHashes(redis: Redis, names: Names): Promise<Hash[]> {
  const nicknames = await redis.smembers(names.wanted)
  const hashes: Hash[] = []
  for (let i = 0; i < nicknames.length; i += BATCH) {
    const batch = nicknames.slice(i, i + BATCH)
    hashes.push(...((await inPipeline(redis, batch, (pipeline, one) => pipeline.hgetall(names.worker(one)))) as Hash[]))
  }
  return hashes.filter((hash) => hash.type)
}

async function readBatch(redis: Redis, names: Names, nicknames: readonly string[]): Promise<WorkerView[]> {
  const standings = await readStandings(redis, names, nicknames)
  const now = await redisNowMs(redis)
  const nodes = new Set(await redis.zrangebyscore(names.nodes, now, '+inf'))
  return standings.flatMap(({ worker, info }) => (worker.type ? [viewOf(worker, info, now, nodes)] : []))
}

function viewOf(worker: Hash, info: Hash, nowMs: number, nodes: ReadonlySet<string>): WorkerView {
  const number = (text: string | undefined): number | null => (text ? Number(text) : null)
  const count = (text: string | undefined): number => Number(text || 0)
  const beat = number(info.heart_beat)
  const age = beat === null ? null : Math.max(0, Math.round(nowMs - beat * 1000) / 1000)
  const status = statusOf(worker, info)
  const threads: Record<string, string> = parsed(info.threads, {})
  const rests = worker.kind === 'repeatable' && threads.tick !== 'running' && info.next_tick
  return {
    type: worker.type ?? '',
    nickname: worker.nickname ?? '',
    status,
    life: lifeOf({
      status,
      age,
      interval: Number(info.heart_beat_interval || 1),
      loopDelayMs: number(info.loop_delay_ms),
      nodeUp: nodes.has(info.node ?? ''),
      nextTickIn: rests ? Number(info.next_tick) - nowMs / 1000 : null,
    }),
    foreign: false,
    wanted: worker.wanted === '1',
    system: worker.system === '1',
    kind: (worker.kind ?? '') as ProcessorManifest['kind'] | '',
    isolation: (info.isolation || worker.isolation || '') as Isolation | '',
    node: info.node ?? '',
    pid: number(info.pid),
    epoch: number(info.epoch),
    revision: count(worker.revision),
    heart_beat: beat,
    age,
    heart_beat_interval: number(info.heart_beat_interval),
    started_at: number(info.started_at),
    published: count(info.published),
    published_to: parsed(info.published_to, {}),
    received: count(info.received),
    errors: count(info.errors),
    dropped: count(info.dropped),
    dropped_by: parsed(info.dropped_by, {}),
    lost: count(info.lost),
    lost_by: parsed(info.lost_by, {}),
    gaps: parsed(info.gaps, []),
    restarts: count(worker.restarts),
    memory_mb: number(info.memory_mb),
    loop_delay_ms: number(info.loop_delay_ms),
    error_msg: info.error_msg ?? '',
    stop_info: info.stop_info ?? '',
    stop_time: number(info.stop_time),
    next_start_at: number(worker.next_start_at),
    data_feeder: parsed(info.data_feeder, []),
    follower: parsed(info.follower, []),
    threads,
    version: info.version ?? '',
    progress: parsed(info.progress, null),
    last_tick: number(info.last_tick),
    next_tick: number(status === 'queued' && worker.kind === 'repeatable' ? worker.first_tick : info.next_tick),
    ticks: count(info.ticks),
    skipped: count(info.skipped),
    missed: count(info.missed),
    by: worker.by ?? '',
    since: number(worker.since),
    params: parsed(worker.params, {}),
  }
}

/** `Info` tells of the last run; a worker that was commanded since and has no run of that yet is `queued`. */
function statusOf(worker: Hash, info: Hash): WorkerView['status'] {
  const status = info.status as Status | undefined
  if (worker.wanted !== '1') return status ?? 'stopped'
  if (!status || ((status === 'terminated' || status === 'failed') && worker.running !== '1')) return 'queued'
  return status
}

function parsed<T>(text: string | undefined, otherwise: T): T {
  if (!text) return otherwise
  try {
    return JSON.parse(text) as T
  } catch {
    return otherwise
  }
}
