import type { Isolation, ProcessorManifest, Status } from '../contract.js'
import type { Life } from './life.js'

/**
 * What client, CLI and web see of the fleet. Plain JSON; names as in the ancestor's Info hash where it has one
 * (snake_case), since foreign readers know them.
 */
export interface WorkerView {
  type: string
  nickname: string
  /** Of the last run; `queued` while a wanted worker has not had a run yet, `stopped` where none is wanted nor was. */
  status: Status | 'queued' | 'stopped'
  /** What its signs of life say together; empty where none is expected. docs/operating.md has the definitions. */
  life: Life
  /** A worker of the Python HySAS on the same Redis: listed and judged, but not ours to command. */
  foreign: boolean
  /** Should it run? */
  wanted: boolean
  /** Part of the system (Monitor, Process): it can't be stopped. */
  system: boolean
  kind: ProcessorManifest['kind'] | ''
  isolation: Isolation | ''
  node: string
  pid: number | null
  epoch: number | null
  revision: number
  /** Unix seconds, Redis's clock. */
  heart_beat: number | null
  /** Seconds since the last heartbeat, by Redis's clock at the time of reading. */
  age: number | null
  heart_beat_interval: number | null
  started_at: number | null
  /** Messages since the run began. */
  published: number
  /** What of it went to channels other than its own, by channel. */
  published_to: Record<string, number>
  received: number
  errors: number
  /** Messages that came faster than they were received, and were dropped by the handler's policy: in sum, and by channel. */
  dropped: number
  dropped_by: Record<string, number>
  /** Messages of other workers that never came, the subscriptions being cut off: in sum, and by channel. */
  lost: number
  lost_by: Record<string, number>
  /** The last times of that, Unix seconds; `to` is null while they are cut off. */
  gaps: { from: number; to: number | null }[]
  /** Runs that ended by themselves since the last start command. */
  restarts: number
  /** Resident set in MB, and event-loop delay in ms (99th percentile of the last interval). */
  memory_mb: number | null
  loop_delay_ms: number | null
  error_msg: string
  stop_info: string
  stop_time: number | null
  /** Unix seconds of the next automatic restart, if one is due. */
  next_start_at: number | null
  /** Sources that it hears, and nicknames that hear it. */
  data_feeder: string[]
  follower: string[]
  /** Parts (`start`, `produce`, `receive`, `tick`) and their state. */
  threads: Record<string, string>
  /** Hash of the processor file that runs. */
  version: string
  /** What `ctx.progress` last said. */
  progress: unknown
  /** Of a repeatable worker: Unix seconds, and counts. */
  last_tick: number | null
  next_tick: number | null
  ticks: number
  skipped: number
  missed: number
  /** Who asked for it, and when (Unix seconds). */
  by: string
  since: number | null
  params: Record<string, unknown>
}

export interface TypeOnNode {
  node: string
  version: string
  file: string
  /** The newest file can't be loaded: why. `version` is the last good one, or empty. */
  error: string
  /** Unix seconds; null where it is well. */
  error_since: number | null
}

export interface TypeView extends ProcessorManifest {
  type: string
  version: string
  file: string
  /** Where the newest file is broken on some node. */
  error: string
  /** Unix seconds; null where it is well. */
  error_since: number | null
  builtin: boolean
  nodes: TypeOnNode[]
  /** Wanted workers of it. */
  workers: number
}

export interface NodeView {
  name: string
  host: string
  pid: number
  /** Hosted now. */
  workers: number
  capacity: number
  types: string[]
  /** Unix seconds. */
  started_at: number
  heart_beat: number
  /** Of HySAS. */
  version: string
  /** Where its page is, without a token; empty without one. */
  url: string
  memory_mb: number
  loop_delay_ms: number
  draining: boolean
  /** Broken processor files: type to reason. */
  broken: Record<string, string>
  /** What is wrong around it, with its Redis or the event store, in sentences. */
  problems: string[]
  /** By problem, Unix seconds since when. */
  problems_since: Record<string, number>
}

/** A node that is gone without having said so. */
export interface GoneNode {
  name: string
  host: string
  /** That it hosted. */
  workers: number
  /** Unix seconds, Redis's clock; and how long ago that is, seconds. */
  heart_beat: number
  age: number
}

/** What the CLI and the API get back from start, stop and restart, once it took effect. */
export interface CommandOutcome {
  type: string
  nickname: string
  revision: number
  /** `queued`: the command waits for a node (`noWait`). `unchanged`: it was so already. */
  result: 'started' | 'stopped' | 'restarted' | 'queued' | 'unchanged'
  node: string
  pid: number | null
  epoch: number | null
  /** From sending to effect. */
  ms: number
  /** Of a stop: how the run ended. */
  stop_info?: string
  /** Of a start by the calendar (`cron`) whose first tick is not waited for: when that is due, Unix seconds. */
  next_tick?: number
}

/** Somebody hears a channel. */
export interface FlowView {
  /** The worker whose own channel it is; of any other channel, its name. */
  from: string
  /** Nickname of who hears it. */
  to: string
  channel: string
  /** Workers that are known to publish to it. */
  by: string[]
  /** On the channel since the fleet began, and on the way since the hearer's run began. */
  published: number
  lost: number
}

/** What a chart needs of a running worker. */
export interface Sample {
  nickname: string
  epoch: number
  /** Unix seconds, Redis's clock. */
  heart_beat: number
  /** Seconds from one beat to the next. */
  heart_beat_interval: number | null
  published: number
  received: number
  lost: number
  memory_mb: number | null
  loop_delay_ms: number | null
}

export interface LogLine {
  /** Stream id: pass the last one to go on. */
  id: string
  /** `<keeper>.<number>`, as its node gave it: where two of one keeper are no neighbours, lines between them are missing. */
  number?: string
  /** Unix ms. */
  time: number
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  type: string
  nickname: string
  epoch: number | null
  msg: string
  /** `log`, or `stdout`/`stderr` for what the processor printed. */
  stream: string
  /** Further fields of the line. */
  fields: Record<string, unknown>
}
