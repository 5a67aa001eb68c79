import type { Redis } from 'ioredis'
import type { ChannelOptions, Publishing } from '../contract.js'
import { HysasError } from '../errors.js'
import { encode } from '../redis/codec.js'
import type { Names } from '../redis/names.js'
import { type PublishAnswer, publishFenced } from '../redis/publish-scripts.js'
import { isRefusedForNow, REFUSED_PAUSE_MS } from '../redis/refusals.js'
import { ASK_MS, LOST_MS } from '../redis/run-scripts.js'
import { createBacklog } from './backlog.js'
import { Batch } from './batch.js'
import type { Fence } from './fence.js'
import { notePublishedTo, type RunState } from './state.js'
import { uniqueId } from './unique-id.js'

/** Of one message, in bytes. */
export const MESSAGE_LIMIT = 1024 * 1024
/** Batches that may be under way: Redis works on one while the next ones are written. */
const FLYING = 16
/** What a message takes in memory beside its payload, in bytes, about. */
const OVERHEAD = 16
const PLAIN: ChannelOptions = {}

export interface Publisher {
  /**
   * Resolves with the number of subscribers that got it, once Redis has it. Messages are published in the order of the calls.
   * @throws HysasError NOT_SERIALIZABLE, MESSAGE_TOO_LARGE, PUBLISH_BACKLOG, STALE_RUN
   */
  publish(data: unknown, channel: string): Promise<number>
  /** Resolves when so little waits that more may be published. Never rejects. */
  drained(): Promise<void>
  /** Resolves when nothing is left to send; never rejects. */
  flush(): Promise<void>
}

type Answer = PublishAnswer | { error: unknown }

/**
 * Publishes many messages in one call of a script that checks that this run still holds the name. A lone message goes at
 * once; while batches are under way, what comes within a turn of the event loop makes the next one. The script keeps the
 * order: what Redis could not take is sent again before all that follows it.
 */
export function createPublisher(of: {
  redis: Redis
  names: Names
  fence: Fence
  state: RunState
  publishing?: Publishing | undefined
}): Publisher {
  const { redis, names, fence, state } = of
  const { channels = {}, ...ownOptions } = of.publishing ?? {}
  const own = names.pub(fence.run.type, fence.run.nickname)
  const backlog = createBacklog(ownOptions)
  let series = ''
  let last = 0
  /** Still growing; and whether its time has come. */
  let open: Batch | undefined
  let isDue = false
  let isScheduled = false
  /** Complete, in order. */
  let waiting: Batch[] = []
  const flying: Batch[] = []
  /** Came back without having been taken. */
  let returned: Batch[] = []
  let pauseMs = 0
  let lostAt: number | undefined
  const idle: (() => void)[] = []

  const dispatch = () => {
    isScheduled = false
    isDue = open !== undefined
    pump()
  }

  const pump = () => {
    if (fence.closed) return refuseAll()
    while (!returned.length && flying.length < FLYING) {
      const next = waiting.shift() ?? (isDue ? open : undefined)
      if (!next) break
      if (next === open) {
        open = undefined
        isDue = false
      }
      void send(next)
    }
  }

  const send = async (batch: Batch) => {
    series ||= uniqueId() // not before: most of thousands of workers publish nothing
    flying.push(batch)
    const call = { series, n: batch.n, oldest: flying[0]?.n ?? batch.n, stretches: batch.stretches() }
    settle(batch, await publishFenced(redis, names, fence.run, call).catch((error: unknown) => ({ error })))
  }

  const settle = (batch: Batch, answer: Answer) => {
    flying.splice(flying.indexOf(batch), 1)
    if (answer === 'stale' || (answer === 'lost' && isLostForGood())) refuseAll(batch)
    else if (isForLater(answer)) returned.push(batch)
    else conclude(batch, answer)
    if (returned.length === 0) pump()
    else if (flying.length === 0) setTimeout(sendAgain, pauseMs)
    tellIdle()
  }

  const tellIdle = () => {
    if (!open && !waiting.length && !flying.length && !returned.length) for (const tell of idle.splice(0)) tell()
  }

  const isLostForGood = () => {
    lostAt ??= performance.now()
    return performance.now() - lostAt > LOST_MS
  }

  /** Notes how long to wait before it is sent again. */
  const isForLater = (answer: Answer): boolean => {
    if (answer === 'before its time') return true
    if (answer === 'lost') pauseMs = Math.max(pauseMs, ASK_MS)
    else if (typeof answer === 'object' && 'error' in answer && isRefusedForNow(answer.error) && !fence.closed) {
      pauseMs = Math.max(pauseMs, REFUSED_PAUSE_MS)
    } else return false
    return true
  }

  const sendAgain = () => {
    waiting = [...returned.sort((a, b) => a.n - b.n), ...waiting]
    returned = []
    pauseMs = 0
    pump()
    tellIdle()
  }

  const conclude = (batch: Batch, answer: Exclude<Answer, 'stale'>) => {
    backlog.less(batch.bytes)
    if (typeof answer === 'object' && 'error' in answer) return batch.reject(answer.error)
    lostAt = undefined
    state.published += batch.count
    for (const { channel, count } of batch.counts()) if (channel !== own) notePublishedTo(state, channel, count)
    batch.resolve(typeof answer === 'object' ? answer.published : [])
  }

  /** The run ends by itself then; a processor that doesn't await its `publish` must not die of that first. */
  const refuseAll = (batch?: Batch) => {
    const error = fence.refused()
    for (const one of [
      ...(batch ? [batch] : []),
      ...returned.splice(0),
      ...waiting.splice(0),
      ...(open ? [open] : []),
    ]) {
      backlog.less(one.bytes)
      one.reject(error, true)
    }
    open = undefined
    isDue = false
  }

  const grow = (bytes: number): Batch => {
    if (open && !open.hasRoomFor(bytes)) complete(open)
    open ??= new Batch(++last)
    return open
  }
  const complete = (batch: Batch) => {
    waiting.push(batch)
    open = undefined
    isDue = false
    pump()
  }
  const schedule = () => {
    if (isScheduled || isDue || !open) return
    isScheduled = true
    if (flying.length) setImmediate(dispatch)
    else queueMicrotask(dispatch)
  }

  return {
    drained: backlog.drained,
    flush() {
      dispatch()
      if (!waiting.length && !flying.length && !returned.length) return Promise.resolve()
      return new Promise((resolve) => idle.push(resolve))
    },
    publish(data, channel) {
      try {
        fence.check()
        const options = channel === own ? ownOptions : (channels[channel] ?? PLAIN)
        const payload = encode(data, options.codec ?? 'json', channel)
        const bytes = bytesOf(payload, channel) + OVERHEAD
        backlog.more(bytes, channel)
        const batch = grow(bytes)
        const isData = typeof data !== 'string' && !(data instanceof Uint8Array)
        const before = batch.bytes + bytes
        const taken = batch.add(channel, { payload, isData, bytes }, options)
        if (batch.bytes > before) backlog.grew(batch.bytes - before)
        if (batch.isFull) complete(batch)
        else schedule()
        return taken
      } catch (error) {
        const refusal = Promise.reject<number>(error)
        if (error instanceof HysasError && error.code === 'STALE_RUN') refusal.catch(() => {})
        return refusal
      }
    },
  }
}

/**
 * Of a text that is far from the limit, its length stands for its bytes: to count them takes as long as all else that is
 * done here with a message.
 * @throws HysasError MESSAGE_TOO_LARGE
 */
function bytesOf(payload: string | Buffer, channel: string): number {
  if (payload.length <= MESSAGE_LIMIT / 4) return payload.length
  const bytes = Buffer.byteLength(payload)
  if (bytes > MESSAGE_LIMIT) throw new HysasError('MESSAGE_TOO_LARGE', { bytes, channel, limit: MESSAGE_LIMIT })
  return bytes
}
