import type { Redis } from 'ioredis'
import { HysasError, messageOf } from '../errors.js'
import type { Names } from '../redis/names.js'
import { whileRefused } from '../redis/refusals.js'
import { publishFenced } from '../redis/run-scripts.js'
import type { Fence } from './fence.js'
import { notePublishedTo, type RunState } from './state.js'

/** Of one message, in bytes. */
export const MESSAGE_LIMIT = 1024 * 1024
/** One batch: more would keep Redis from its other clients for too long. */
const BATCH_MESSAGES = 512
const BATCH_BYTES = 1024 * 1024
/** Bytes that may wait, for those who don't await what `publish` returns. */
const UNSENT_LIMIT = 64 * 1024 * 1024

export interface Publisher {
  /**
   * Resolves with the number of subscribers that got it, once Redis has it. Messages are published in the order of the calls.
   * @throws HysasError NOT_SERIALIZABLE, MESSAGE_TOO_LARGE, PUBLISH_BACKLOG, STALE_RUN
   */
  publish(data: unknown, channel: string): Promise<number>
  /** Resolves when nothing is left to send; never rejects. */
  flush(): Promise<void>
}

interface Waiting {
  channel: string
  payload: string | Buffer
  bytes: number
  promise: Promise<number>
  resolve(subscribers: number): void
  reject(error: unknown): void
}

/**
 * Publishes many messages in one call of a script that checks that this run still holds the name. One batch is under
 * way at a time, which keeps the order; what comes meanwhile makes the next one.
 */
export function createPublisher(of: { redis: Redis; names: Names; fence: Fence; state: RunState }): Publisher {
  const { redis, names, fence, state } = of
  const own = names.pub(fence.run.type, fence.run.nickname)
  let waiting: Waiting[] = []
  let unsent = 0
  let sending: Promise<void> | undefined

  const sendAll = async () => {
    while (waiting.length) {
      await nextTurn() // all that this turn of the event loop publishes goes together
      const batch = takeBatch()
      const publish = () => publishFenced(redis, names, fence.run, batch)
      // a Redis that can not write for now is waited for, like one that is away
      const answer = await whileRefused(publish, () => fence.closed).catch((error: unknown) => ({ error }))
      for (const { bytes } of batch) unsent -= bytes
      if (Array.isArray(answer)) {
        state.published += batch.length
        batch.forEach((one, i) => {
          if (one.channel !== own) notePublishedTo(state, one.channel)
          one.resolve(answer[i] ?? 0)
        })
      } else if (answer) {
        for (const one of batch) one.reject(answer.error)
      } else {
        refuse([...batch, ...waiting.splice(0)], fence.refused())
      }
    }
    unsent = 0
    sending = undefined
  }

  const takeBatch = () => {
    let count = 0
    for (let bytes = 0; count < waiting.length && count < BATCH_MESSAGES; count++) {
      bytes += waiting[count]?.bytes ?? 0
      if (count > 0 && bytes > BATCH_BYTES) break
    }
    const batch = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return batch
  }

  return {
    async flush() {
      await sending
    },
    publish(data, channel) {
      const one = tryMessage(data, channel, unsent, fence)
      if (one instanceof HysasError) {
        const refusal = Promise.reject<number>(one)
        if (one.code === 'STALE_RUN') refusal.catch(() => {})
        return refusal
      }
      waiting.push(one)
      unsent += one.bytes
      sending ??= sendAll()
      return one.promise
    },
  }
}

function tryMessage(data: unknown, channel: string, unsent: number, fence: Fence): Waiting | HysasError {
  try {
    fence.check()
    const payload = encode(data, channel)
    const bytes = Buffer.byteLength(payload)
    if (bytes > MESSAGE_LIMIT) throw new HysasError('MESSAGE_TOO_LARGE', { bytes, channel, limit: MESSAGE_LIMIT })
    if (unsent + bytes > UNSENT_LIMIT) throw new HysasError('PUBLISH_BACKLOG', { channel, bytes: unsent })
    return { channel, payload, bytes, ...deferred() }
  } catch (error) {
    return error as HysasError
  }
}

function encode(data: unknown, channel: string): string | Buffer {
  if (typeof data === 'string') return data
  if (data instanceof Uint8Array) return Buffer.from(data) // a copy: it may be used again while it waits
  let reason = `${typeof data} has no form in JSON`
  try {
    const json = JSON.stringify(data) as string | undefined
    if (json !== undefined) return json
  } catch (error) {
    reason = messageOf(error)
  }
  throw new HysasError('NOT_SERIALIZABLE', { channel, reason })
}

function deferred(): Pick<Waiting, 'promise' | 'resolve' | 'reject'> {
  const made = {} as Pick<Waiting, 'resolve' | 'reject'>
  const promise = new Promise<number>((resolve, reject) => Object.assign(made, { resolve, reject }))
  return { promise, ...made }
}

/** The run ends by itself then; a processor that doesn't await its `publish` must not die of an unhandled rejection first. */
function refuse(messages: readonly Waiting[], error: HysasError): void {
  for (const { promise, reject } of messages) {
    promise.catch(() => {})
    reject(error)
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
