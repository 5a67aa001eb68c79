import type { Redis } from 'ioredis'
import type { EventInput, Events } from '../contract.js'
import { HysasError, messageOf } from '../errors.js'
import type { Names } from '../redis/names.js'
import { recordFenced } from '../redis/record-scripts.js'
import { whileRefused } from '../redis/refusals.js'
import type { Fence } from './fence.js'

const DATA_LIMIT = 64 * 1024
const SEVERITIES = ['info', 'warning', 'error', 'critical']

/** What goes to Redis in one call: more would keep it from its other clients for too long. */
const BATCH_EVENTS = 256
const BATCH_BYTES = 256 * 1024
/** Bytes of events that may wait for Redis, for those who don't await what `record` returns. */
const LIMIT_BYTES = 64 * 1024 * 1024

export interface RunEvents extends Events {
  /** Resolves when Redis has all that were recorded so far, or can't take them any more. Never rejects. */
  flush(): Promise<void>
}

interface Waiting {
  json: string
  resolve(): void
  reject(error: unknown): void
  hush(): void
}

/**
 * Events that a worker records, in the worker's name and fenced like all that it writes. One call is under way at a
 * time; what is recorded meanwhile goes with the next.
 */
export function createEvents(of: { redis: Redis; names: Names; fence: Fence; node: string }): RunEvents {
  const { fence } = of
  const { type, nickname } = fence.run
  let waiting: Waiting[] = []
  let waitingBytes = 0
  let writing: Promise<void> | undefined

  /** As many of the oldest as one call may take. */
  const nextBatch = (): Waiting[] => {
    let bytes = 0
    const room = waiting.findIndex(({ json }, i) => {
      bytes += json.length
      return i === BATCH_EVENTS || (i > 0 && bytes > BATCH_BYTES)
    })
    const batch = room < 0 ? waiting : waiting.slice(0, room)
    waiting = room < 0 ? [] : waiting.slice(room)
    return batch
  }

  const writeAll = async (): Promise<void> => {
    // after the promises of this turn of the event loop, so that what is recorded together goes together
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.length) {
      const batch = nextBatch()
      const texts = batch.map(({ json }) => json)
      try {
        const kept = await whileRefused(
          () => recordFenced(of.redis, of.names, fence.run, texts),
          () => fence.closed,
        )
        if (!kept) throw fence.refused()
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject, hush } of batch) {
          if (isStale(error)) hush()
          reject(error)
        }
      }
      for (const text of texts) waitingBytes -= text.length
    }
    writing = undefined
  }

  /** @returns its JSON. @throws HysasError STALE_RUN, BAD_ARGS, TOO_LARGE */
  const accept = (kind: unknown, event: EventInput): string => {
    fence.check()
    const json = JSON.stringify({ type, nickname, node: of.node, epoch: fence.epoch, ...checkEvent(kind, event) })
    if (waitingBytes > LIMIT_BYTES)
      throw new HysasError('TOO_LARGE', { what: 'backlog of events', bytes: waitingBytes, limit: LIMIT_BYTES })
    waitingBytes += json.length
    return json
  }

  return {
    record(kind, event = {}) {
      let recorded: Promise<void>
      try {
        const json = accept(kind, event)
        recorded = new Promise((resolve, reject) => {
          waiting.push({ json, resolve, reject, hush: () => hush(recorded) })
        })
        writing ??= writeAll()
      } catch (error) {
        recorded = Promise.reject(error)
        if (isStale(error)) hush(recorded)
      }
      return recorded
    },
    async flush() {
      await writing
    },
  }
}

const isStale = (error: unknown): boolean => error instanceof HysasError && error.code === 'STALE_RUN'

/** A run that is overtaken ends by itself; a processor that doesn't await what it records must not die of that first. */
function hush(recorded: Promise<void>): void {
  recorded.catch(() => {})
}

/** @throws HysasError BAD_ARGS, TOO_LARGE */
function checkEvent(kind: unknown, event: EventInput) {
  const { source = '', severity = 'info', message = '', data = null, key = '' } = event
  if (typeof kind !== 'string' || !/^[A-Za-z][\w.-]{0,63}$/.test(kind)) {
    throw refusal('kind: a word of at most 64 letters, digits, "_", "." or "-" is wanted')
  }
  if (!SEVERITIES.includes(severity)) throw refusal(`severity: one of ${SEVERITIES.join(', ')} is wanted`)
  const texts = {
    source: text('source', source, 255),
    message: text('message', message, 4096),
    key: text('key', key, 255),
  }
  return { kind, severity, ...texts, data: checkData(data) }
}

function text(name: string, given: unknown, limit: number): string {
  if (typeof given !== 'string') throw refusal(`${name}: a text is wanted`)
  if (given.length <= limit) return given
  if (name === 'key') throw refusal(`key: at most ${limit} characters are wanted`) // a cut key could equal another
  return `${given.slice(0, limit - 1)}…`
}

function checkData(data: unknown): unknown {
  let json: string | undefined
  try {
    json = JSON.stringify(data)
  } catch (error) {
    throw refusal(`data: it can not be written as JSON: ${messageOf(error)}`)
  }
  const bytes = Buffer.byteLength(json ?? '')
  if (bytes > DATA_LIMIT) throw new HysasError('TOO_LARGE', { what: "event's data", bytes, limit: DATA_LIMIT })
  return json === undefined ? null : data
}

function refusal(problems: string): HysasError {
  return new HysasError('BAD_ARGS', { operation: 'events.record', problems })
}
