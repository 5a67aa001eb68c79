import { z } from 'zod'
import { STATUSES } from '../contract.js'
import type { CommandOutcome, FlowView, GoneNode, LogLine, NodeView, TypeView, WorkerView } from '../fleet/views.js'
import { checkNickname, checkType } from '../redis/names.js'
import type { StoredEvent } from '../store/types.js'
import type { HistoryView } from './history.js'

/** What the API takes and gives, as zod: `src/fleet/views.ts` word for word, for the OpenAPI description and the tests. */
export const nickname = z.string().refine((given) => holds(checkNickname, given), 'not a nickname')
export const type = z.string().refine((given) => holds(checkType, given), 'not a type')
export const json = z.record(z.string(), z.unknown())
const number = z.number().nullable()
const kind = z.enum(['long-running', 'repeatable', 'plain'])
const isolation = z.enum(['process', 'shared'])
export const level = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])

export const worker: z.ZodType<WorkerView> = z.object({
  type: z.string(),
  nickname: z.string(),
  status: z.enum([...STATUSES, 'queued', 'stopped']).describe('Of the last run'),
  life: z
    .enum(['ok', 'busy', 'wedged', 'cut off', 'dead', ''])
    .describe('What its signs of life say together; empty where none is expected'),
  foreign: z.boolean().describe('Of the Python HySAS on the same Redis: not ours to command'),
  wanted: z.boolean().describe('Should it run?'),
  system: z.boolean().describe('Part of the system: it can not be stopped'),
  kind: z.union([kind, z.literal('')]),
  isolation: z.union([isolation, z.literal('')]),
  node: z.string(),
  pid: number,
  epoch: number.describe('Number of the run; a later one is higher'),
  revision: z.number(),
  heart_beat: number.describe('Unix seconds, by the clock of Redis'),
  age: number.describe('Seconds since the last heartbeat'),
  heart_beat_interval: number,
  started_at: number,
  published: z.number(),
  published_to: z.record(z.string(), z.number()).describe('What of it went to channels other than its own'),
  received: z.number(),
  errors: z.number(),
  dropped: z.number().describe('Messages that came faster than they were received'),
  dropped_by: z.record(z.string(), z.number()).describe('The same by channel'),
  lost: z.number().describe('Messages that never came, the subscriptions being cut off'),
  lost_by: z.record(z.string(), z.number()).describe('The same by channel'),
  gaps: z.array(z.object({ from: z.number(), to: number })).describe('When they were cut off, Unix seconds'),
  restarts: z.number().describe('Runs that ended by themselves since the last start command'),
  memory_mb: number,
  loop_delay_ms: number,
  error_msg: z.string(),
  stop_info: z.string(),
  stop_time: number,
  next_start_at: number,
  data_feeder: z.array(z.string()).describe('What it hears'),
  follower: z.array(z.string()).describe('Who hears it'),
  threads: z.record(z.string(), z.string()),
  version: z.string(),
  progress: z.unknown(),
  last_tick: number,
  next_tick: number,
  ticks: z.number(),
  skipped: z.number(),
  missed: z.number(),
  by: z.string(),
  since: number,
  params: json,
})

export const typeView: z.ZodType<TypeView> = z.object({
  type: z.string(),
  version: z.string(),
  file: z.string(),
  error: z.string().describe('Why the newest file can not be loaded, where that is so'),
  error_since: number.describe('Unix seconds'),
  builtin: z.boolean(),
  nodes: z.array(
    z.object({ node: z.string(), version: z.string(), file: z.string(), error: z.string(), error_since: number }),
  ),
  workers: z.number(),
  kind,
  isolation,
  description: z.string(),
  params: json.describe('JSON Schema of the parameters'),
  operations: z.record(z.string(), z.object({ description: z.string(), args: json })),
  heartbeatSeconds: z.number(),
  graceSeconds: z.number(),
  restart: z.object({
    minDelayMs: z.number(),
    maxDelayMs: z.number(),
    healthyAfterMs: z.number(),
    giveUpAfter: number,
  }),
  maxMemoryMb: number,
  maxLoopDelayMs: number,
  every: number,
  cron: z.string().nullable(),
  timezone: z.string().nullable(),
})

export const node: z.ZodType<NodeView> = z.object({
  name: z.string(),
  host: z.string(),
  pid: z.number(),
  workers: z.number(),
  capacity: z.number(),
  types: z.array(z.string()),
  started_at: z.number(),
  heart_beat: z.number(),
  version: z.string(),
  url: z.string(),
  memory_mb: z.number(),
  loop_delay_ms: z.number(),
  draining: z.boolean(),
  broken: z.record(z.string(), z.string()),
  problems: z.array(z.string()),
  problems_since: z.record(z.string(), z.number()).describe('Unix seconds'),
})

export const goneNode: z.ZodType<GoneNode> = z.object({
  name: z.string(),
  host: z.string(),
  workers: z.number().describe('That it hosted'),
  heart_beat: z.number().describe('Unix seconds'),
  age: z.number().describe('Seconds'),
})

export const flow: z.ZodType<FlowView> = z.object({
  from: z.string(),
  to: z.string(),
  channel: z.string(),
  by: z.array(z.string()).describe('Workers that are known to publish to it'),
  published: z.number(),
  lost: z.number(),
})

const points = z.array(z.number().nullable())
export const history: z.ZodType<HistoryView> = z.object({
  time: z.array(z.number()).describe('Unix ms by the clock of this node, oldest first'),
  now: z.number().describe('What that clock says now'),
  in: points.describe('Messages per second; null where it did not run, or just began'),
  out: points,
  lost: points,
  memory: points.describe('MB'),
  delay: points.describe('ms by which its event loop was late'),
})

export const outcome: z.ZodType<CommandOutcome> = z.object({
  type: z.string(),
  nickname: z.string(),
  revision: z.number(),
  result: z.enum(['started', 'stopped', 'restarted', 'queued', 'unchanged']),
  node: z.string(),
  pid: number,
  epoch: number,
  ms: z.number(),
  stop_info: z.string().exactOptional(),
  next_tick: z.number().exactOptional().describe('Of a start by cron: when its first tick is due, Unix seconds'),
})

export const logLine: z.ZodType<LogLine> = z.object({
  id: z.string(),
  number: z
    .string()
    .exactOptional()
    .describe('Two of one keeper that are no neighbours: lines between them are missing'),
  time: z.number().describe('Unix ms'),
  level,
  type: z.string(),
  nickname: z.string(),
  epoch: number,
  msg: z.string(),
  stream: z.string(),
  fields: json,
})

export const event: z.ZodType<StoredEvent> = z.object({
  id: z.string(),
  time: z.number().describe('Unix ms'),
  kind: z.string(),
  severity: z.enum(['info', 'warning', 'error', 'critical']),
  type: z.string(),
  nickname: z.string(),
  node: z.string(),
  epoch: number,
  source: z.string(),
  message: z.string(),
  data: z.unknown(),
  key: z.string(),
})

export const eventCount = z.object({
  time: z.number().describe('Unix ms of its begin'),
  kind: z.string(),
  count: z.number(),
})

export const problem = z.object({
  code: z.string().describe('Never changes; docs/errors.md lists all'),
  message: z.string(),
  remedy: z.string(),
  details: json,
})

export const session = z.object({ role: z.enum(['viewer', 'operator']) })
export const acceptedBody = z.object({ accepted: z.literal(true) })
export const returned = z.object({ value: z.unknown() })

export const ofNickname = z.strictObject({ nickname })
export const ofOperation = z.strictObject({ nickname, operation: z.string().max(128) })

const text = z.string().max(255)
/** How long to wait for the effect, and whether to. */
const waiting = {
  timeoutMs: z.number().int().min(1).max(600_000).exactOptional().describe('How long to wait for the effect'),
  noWait: z.boolean().exactOptional().describe('Only queue it; it stays good for an hour'),
}
export const startBody = z.strictObject({ type, nickname, params: json.exactOptional(), ...waiting })
export const stopBody = z.strictObject(waiting)
export const restartBody = z.strictObject({ params: json.exactOptional(), ...waiting })
export const operationBody = z.strictObject({ args: json.exactOptional(), timeoutMs: waiting.timeoutMs })
export const shutdownBody = z.strictObject({
  forget: z.boolean().exactOptional().describe('Stop every worker for good first'),
})

const whole = z.coerce.number().int().min(0)
export const logQuery = z.strictObject({
  level: level.exactOptional(),
  sinceMs: whole.exactOptional().describe('Unix ms'),
  after: text.exactOptional().describe('Only lines after the one with this id'),
  limit: whole.max(1000).exactOptional(),
})
export const followLogQuery = z.strictObject({ level: level.exactOptional().describe('This level and those above') })
const ofEvents = {
  kind: z.union([text, z.array(text).max(50)]).exactOptional(),
  nickname: text.exactOptional(),
  type: text.exactOptional(),
  source: text.exactOptional(),
  severity: z.enum(['info', 'warning', 'error', 'critical']).exactOptional(),
  since: whole.exactOptional().describe('Unix ms, inclusive'),
  until: whole.exactOptional().describe('Unix ms, inclusive'),
}
export const eventQuery = z.strictObject({
  ...ofEvents,
  after: text.exactOptional().describe('Only events after the one with this id, oldest first'),
  before: text.exactOptional().describe('Only events before the one with this id'),
  limit: whole.max(10_000).exactOptional(),
  format: z.enum(['json', 'csv']).exactOptional(),
})
export const exportQuery = z.strictObject({ ...ofEvents, format: z.enum(['json', 'csv']).exactOptional() })
/** Bars of one answer. */
export const MOST_BARS = 3000
export const countQuery = z
  .strictObject({
    ...ofEvents,
    since: whole.exactOptional().describe(`Unix ms, inclusive; default: ${MOST_BARS} bars before \`until\``),
    bucketMs: z.coerce
      .number()
      .int()
      .min(1000)
      .describe(`Width of a bar, ms; from \`since\` to \`until\` (default: now) there are at most ${MOST_BARS}`),
  })
  .refine(({ since, until = Date.now(), bucketMs }) => (until - (since ?? until)) / bucketMs <= MOST_BARS, {
    path: ['bucketMs'],
    message: `more than ${MOST_BARS} bars; give a greater width, or a later \`since\``,
  })
export const tapQuery = z.strictObject({
  channel: text.min(1).describe('A channel that a worker publishes to or hears'),
})

function holds(check: (given: unknown) => string, given: string): boolean {
  try {
    check(given)
    return true
  } catch {
    return false
  }
}
