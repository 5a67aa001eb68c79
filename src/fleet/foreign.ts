import type { Redis } from 'ioredis'
import { STATUSES, type Status } from '../contract.js'
import { type Foreign, type ForeignInfo, intervalOf, readForeign, readForeignInfos } from '../redis/foreign.js'
import type { Names } from '../redis/names.js'
import type { WorkerView } from './views.js'

/** Workers of the Python ancestor on the same Redis, as Monitor has found them; `only` of one nickname. */
export async function readForeignWorkers(
  redis: Redis,
  names: Names,
  nowMs: number | (() => Promise<number>),
  only?: string,
): Promise<WorkerView[]> {
  const all = [...(await readForeign(redis, names)).values()]
  const some = only === undefined ? all : all.filter(({ nickname }) => nickname === only)
  if (some.length === 0) return []
  const now = typeof nowMs === 'number' ? nowMs : await nowMs()
  const infos = await readForeignInfos(redis, some)
  return some.flatMap((foreign, i) => {
    const info = infos[i]
    return info?.heart_beat ? [viewOf(foreign, info, now)] : []
  })
}

/** What is known of a worker whose node, run and wish are not ours. */
function viewOf({ type, nickname, atMs }: Foreign, info: ForeignInfo, nowMs: number): WorkerView {
  const number = (text: string | undefined): number | null =>
    Number.isFinite(Number(text || 'no')) ? Number(text) : null
  const interval = intervalOf(info.heart_beat_interval)
  const age = Math.max(0, nowMs - atMs) / 1000
  const status = statusOf(info.status, age > interval + 1)
  return {
    ...{ type, nickname, status, foreign: true, wanted: false, system: false, kind: '', isolation: '', node: '' },
    life: status === 'started' || status === 'init' ? 'ok' : '',
    ...{ pid: number(info.pid), epoch: null, revision: 0, heart_beat: number(info.heart_beat), age },
    ...{ heart_beat_interval: interval, started_at: null, published: 0, published_to: {}, received: 0 },
    ...{ errors: 0, restarts: 0 },
    ...{ dropped: 0, dropped_by: {}, lost: 0, lost_by: {}, gaps: [], memory_mb: null, loop_delay_ms: null },
    error_msg: (info.error_msg ?? '').slice(0, 4000),
    stop_info: (info.stop_info ?? '').slice(0, 4000),
    ...{ stop_time: number(info.stop_time), next_start_at: null, data_feeder: [], follower: [], threads: {} },
    ...{ version: '', progress: null, last_tick: null, next_tick: null, ticks: 0, skipped: 0, missed: 0 },
    ...{ by: '', since: null, params: {} },
  }
}

/** The ancestor's own word, but for a silence that it can't know of. */
function statusOf(word: string | undefined, overdue: boolean): Status {
  const status = STATUSES.find((one) => one === word) ?? 'started'
  const lives = status === 'started' || status === 'init' || status === 'disappeared'
  if (!lives) return status
  return overdue ? 'disappeared' : status === 'init' ? 'init' : 'started'
}
