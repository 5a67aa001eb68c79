import type { Redis } from 'ioredis'
import { takeMessages } from '../redis/take-messages.js'
import type { Tuned } from './source.js'

/** What is wanted of Redis: a channel, or a pattern. */
export type Wanted = Pick<Tuned, 'name' | 'isPattern'>

/** One connection for subscriptions. Each channel and pattern is subscribed to once, however many want it. */
export interface Line {
  /** Connects, before anything is wanted. */
  open(): void
  /** Resolves when Redis has confirmed it. */
  hold(wanted: Wanted): Promise<void>
  /** One less wants it; with the last one it is unsubscribed from. */
  release(wanted: Wanted): Promise<void>
  /** Reads nothing more for now, or again. What Redis has then to keep for it, it keeps up to its limit. */
  pause(isPaused: boolean): void
  close(): void
}

interface Held {
  count: number
  confirmed: Promise<void>
}

/** The connection is opened at first need, and subscribes again by itself after it was lost. */
export function createLine(of: {
  connect: () => Redis
  onMessage: (pattern: string | undefined, channel: Buffer, payload: Buffer) => void
  /** The connection was lost: what is published until it is back is missed. */
  onCut: () => void
  /** It is back, and all subscriptions are confirmed. */
  onBack: () => void
}): Line {
  const held = new Map<string, Held>()
  let redis: Redis | undefined
  let isReady = false
  let wasCut = false
  let isPaused = false
  /** Answers that are waited for. They come behind the messages, so that none would ever come while nothing is read. */
  let asked = 0
  let closed = false

  const back = () => {
    if (closed || !isReady || !wasCut) return
    wasCut = false
    of.onBack()
  }

  const read = () => {
    const stream = redis?.stream
    if (isPaused && asked === 0) stream?.pause()
    else stream?.resume()
  }

  const answered = async (asking: Promise<unknown>): Promise<void> => {
    asked++
    read()
    try {
      await asking
    } finally {
      asked--
      read()
    }
  }

  const connection = (): Redis => {
    if (redis) return redis
    redis = of.connect()
    takeMessages(redis, of.onMessage)
    redis.on('ready', () => {
      isReady = true
      read()
      if (!wasCut || !redis) return
      // ioredis has sent the subscriptions by now: when this is answered, they are confirmed
      answered(redis.ping()).then(back, () => {})
    })
    redis.on('close', () => {
      if (isReady && !closed && !wasCut) of.onCut() // cut again before it was back: it has been away all the time
      wasCut ||= isReady
      isReady = false
    })
    return redis
  }

  return {
    open: () => void connection(),
    async hold(wanted) {
      const key = keyOf(wanted)
      const known = held.get(key)
      const { name, isPattern } = wanted
      const one = known ?? {
        count: 0,
        confirmed: answered(isPattern ? connection().psubscribe(name) : connection().subscribe(name)),
      }
      one.count++
      held.set(key, one)
      try {
        await one.confirmed
      } catch (error) {
        if (held.get(key) === one) held.delete(key)
        throw error
      }
    },
    async release(wanted) {
      const key = keyOf(wanted)
      const one = held.get(key)
      if (!one || --one.count > 0) return
      held.delete(key)
      if (closed) return
      const { name, isPattern } = wanted
      await answered(isPattern ? connection().punsubscribe(name) : connection().unsubscribe(name))
    },
    pause(wanted) {
      isPaused = wanted
      read()
    },
    close() {
      closed = true
      redis?.disconnect()
    },
  }
}

const keyOf = ({ name, isPattern }: Wanted): string => `${isPattern ? 'p' : 'c'} ${name}`
