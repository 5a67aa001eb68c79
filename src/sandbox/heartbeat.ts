import type { Redis } from 'ioredis'
import type { Isolation } from '../contract.js'
import { messageOf } from '../errors.js'
import type { RunStats } from '../protocol.js'
import type { Names } from '../redis/names.js'
import { beat, dueAfterMs } from '../redis/run-scripts.js'
import type { Fence } from './fence.js'
import type { RunState } from './state.js'

export interface Heartbeat {
  /** Writes one now. Where another is under way, a further one follows it, with what is true then. Never rejects. */
  beat(): Promise<void>
  /** The Info fields as they are now. */
  fields(): Record<string, unknown>
  /** Resolves when none is under way any more: what is written then is the last. */
  stop(): Promise<void>
}

/** Fields that stay the same for the run. */
export interface Facts {
  nickname: string
  type: string
  pid: number
  isolation: Isolation
  token: string
  heart_beat_interval: number
  node: string
  epoch: number
  /** Unix seconds. */
  started_at: number
  version: string
}

export interface HeartbeatOptions {
  redis: Redis
  names: Names
  fence: Fence
  state: RunState
  facts: Facts
  seconds: number
  /** What the worker hears: channels and patterns. */
  hears: () => string[]
  loopDelayMs: () => number
  memoryMb: () => number
  onStats: (stats: RunStats) => void
  onProblem: (message: string) => void
}

/** Beats at once and then every interval, until stopped. While Redis is away, one beat waits for it; the node hears the numbers all the same. */
export function startHeartbeat(of: HeartbeatOptions): Heartbeat {
  const { redis, names, fence } = of
  let underWay: Promise<void> | undefined
  let again = false
  let stopped = false
  let loopDelay = 0

  const fields = () => fieldsOf(of, loopDelay)

  const write = async () => {
    do {
      again = false
      try {
        const held = await beat(redis, names, fence.run, fields(), dueAfterMs(of.seconds))
        if (!held) fence.refused()
      } catch (error) {
        of.onProblem(`A heartbeat could not be written: ${messageOf(error)}`)
      }
    } while (again && !stopped && !fence.closed)
    underWay = undefined
  }

  const beatNow = async (): Promise<void> => {
    if (stopped || fence.closed) return
    if (underWay) again = true
    underWay ??= write()
    await underWay
  }

  const timer = setInterval(() => {
    loopDelay = of.loopDelayMs()
    of.onStats(statsOf(of, loopDelay))
    if (!underWay) void beatNow()
  }, of.seconds * 1000).unref()

  return {
    beat: beatNow,
    fields,
    async stop() {
      stopped = true
      clearInterval(timer)
      await underWay
    },
  }
}

/**
 * The Info fields as they are now. All that there always is stands in one literal: to spread objects, or to add so many
 * fields one by one, takes fifty times as long.
 */
export function fieldsOf(of: HeartbeatOptions, loopDelay: number): Record<string, unknown> {
  const { facts, state } = of
  const fields: Record<string, unknown> = {
    nickname: facts.nickname,
    type: facts.type,
    pid: facts.pid,
    isolation: facts.isolation,
    token: facts.token,
    heart_beat_interval: facts.heart_beat_interval,
    node: facts.node,
    epoch: facts.epoch,
    started_at: facts.started_at,
    version: facts.version,
    status: state.status,
    threads: state.threads,
    data_feeder: of.hears(),
    published: state.published,
    received: state.received,
    errors: state.errors,
    dropped: state.dropped,
    lost: state.lost,
    error_msg: state.errorMsg,
    memory_mb: of.memoryMb(),
    loop_delay_ms: loopDelay,
  }
  if (state.publishedTo.size) fields.published_to = Object.fromEntries(state.publishedTo)
  if (state.droppedBy.size) fields.dropped_by = Object.fromEntries(state.droppedBy)
  if (state.lostBy.size) fields.lost_by = Object.fromEntries(state.lostBy)
  if (state.gaps.length) fields.gaps = state.gaps
  for (const name in state.extra) fields[name] = state.extra[name]
  if (state.progress !== undefined) fields.progress = inJson(state.progress)
  return fields
}

/** What the node is told with each beat. */
export function statsOf({ state, memoryMb }: HeartbeatOptions, loopDelay: number): RunStats {
  const { published, received, errors, lost, status } = state
  return { published, received, errors, lost, status, memory_mb: memoryMb(), loop_delay_ms: loopDelay }
}

/** Read as JSON again; all but texts are written as JSON anyway. */
function inJson(value: unknown): unknown {
  return typeof value === 'string' ? JSON.stringify(value) : value
}
