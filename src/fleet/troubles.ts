import type { Redis } from 'ioredis'
import { redisNowMs } from '../redis/fleet-scripts.js'
import type { Names } from '../redis/names.js'
import { readGoneNodes } from './nodes.js'

/** What somebody should know of, while it lasts. */
export interface Trouble {
  kind: 'disappeared' | 'failed' | 'restarting' | 'node_gone' | 'database' | 'redis' | 'data_lost'
  type: string
  nickname: string
  node: string
  /** One sentence. */
  message: string
}

/** As Redis has a worker: fields of its hash and of its Info hash. */
export interface WorkerState {
  nickname: string
  type: string
  wanted: boolean
  revision: string
  crashes: number
  claimedAtMs: number
  infoRevision: string
  status: string
  node: string
  error: string
}

/** More restarts in a row than this are a trouble. */
const RESTARTS = 3
/** A worker that ran for so long has recovered, ms. */
const HEALTHY_MS = 60_000
export interface WorkerTroubles {
  troubles: Map<string, Trouble>
  /** Keys of workers that have none by now, but are wanted and not up: what was the trouble is not over yet. */
  unsettled: Set<string>
}

/** Troubles of the named workers, some hundreds at most, by key. One that is not in the answer has none. */
export async function readWorkerTroubles(
  redis: Redis,
  names: Names,
  nicknames: readonly string[],
): Promise<WorkerTroubles> {
  const found: WorkerTroubles = { troubles: new Map(), unsettled: new Set() }
  const nowMs = await redisNowMs(redis)
  for (const state of await readStates(redis, names, nicknames)) {
    const key = workerKey(state.nickname)
    const trouble = troubleOf(state, nowMs)
    if (trouble) found.troubles.set(key, trouble)
    else if (state.wanted && state.status !== 'started') found.unsettled.add(key)
  }
  return found
}

export const workerKey = (nickname: string): string => `worker:${nickname}`

/** What is the trouble with a worker, if there is one. Pure. */
export function troubleOf(state: WorkerState, nowMs: number): Trouble | undefined {
  const { type, nickname, node, status, crashes, error } = state
  const about = { type, nickname, node }
  const why = error ? `: ${error}` : ''
  if (status === 'failed' && state.revision === state.infoRevision)
    return { ...about, kind: 'failed', message: `${nickname} (${type}) failed and is not tried again${why}` }
  if (!state.wanted) return undefined
  if (crashes > RESTARTS && (status !== 'started' || nowMs - state.claimedAtMs < HEALTHY_MS))
    return { ...about, kind: 'restarting', message: `${nickname} (${type}) crashed ${crashes} times in a row${why}` }
  if (status === 'disappeared')
    return { ...about, kind: 'disappeared', message: `${nickname} (${type}) on node ${node} has disappeared${why}` }
  return undefined
}

/** Nodes that are gone without having said so, by key. */
export async function readNodeTroubles(redis: Redis, names: Names): Promise<Map<string, Trouble>> {
  const troubles = new Map<string, Trouble>()
  for (const { name, host, workers, age } of await readGoneNodes(redis, names)) {
    const message = `node ${name} on ${host} has not been heard of for ${Math.round(age)} s; it hosted ${workers} workers`
    troubles.set(`node:${name}`, { kind: 'node_gone', type: '', nickname: '', node: name, message })
  }
  return troubles
}

async function readStates(redis: Redis, names: Names, nicknames: readonly string[]): Promise<WorkerState[]> {
  const fields = ['type', 'wanted', 'revision', 'crashes', 'claimed_at'] as const
  const workers = await inPipeline(redis, nicknames, (pipeline, one) => pipeline.hmget(names.worker(one), ...fields))
  const typed = nicknames.map((nickname, i) => ({ nickname, of: workers[i] ?? [] })).filter(({ of }) => of[0])
  const infos = await inPipeline(redis, typed, (pipeline, { nickname, of }) =>
    pipeline.hmget(names.info(of[0] ?? '', nickname), 'status', 'revision', 'node', 'error_msg', 'stop_info'),
  )
  return typed.map(({ nickname, of: [type, wanted, revision, crashes, claimedAt] }, i) => {
    const [status, infoRevision, node, error, stopInfo] = infos[i] ?? []
    return {
      nickname,
      type: type ?? '',
      wanted: wanted === '1',
      revision: revision ?? '',
      crashes: Number(crashes ?? 0),
      claimedAtMs: Number(claimedAt ?? 0),
      infoRevision: infoRevision ?? '',
      status: status ?? '',
      node: node ?? '',
      error: firstLine(error || stopInfo || ''),
    }
  })
}

async function inPipeline<T>(
  redis: Redis,
  items: readonly T[],
  add: (pipeline: ReturnType<Redis['pipeline']>, item: T) => unknown,
): Promise<(string | null)[][]> {
  if (items.length === 0) return []
  const pipeline = redis.pipeline()
  for (const item of items) add(pipeline, item)
  return ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error
    return reply as (string | null)[]
  })
}

const firstLine = (text: string): string => (text.split('\n', 1)[0] ?? '').slice(0, 300)
