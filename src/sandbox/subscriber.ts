import type { Redis } from 'ioredis'
import type { Names } from '../redis/names.js'
import { createDelivery, type Delivery } from './delivery.js'
import { createLosses, type Tally } from './losses.js'
import type { Tuned } from './source.js'

export type Deliver = (delivery: Delivery) => void

export interface Subscriber {
  /**
   * Resolves when Redis has confirmed it. A message that several of them match is delivered once to each `deliver`.
   * @param counted whether workers publish there, so that what is lost can be counted
   * @returns what ends it again
   */
  add(tuned: Tuned, deliver: Deliver, counted?: boolean): Promise<() => Promise<void>>
  /** Closes the connection; nothing is delivered any more. */
  close(): void
}

const ROUTES = 10_000

/** Where the messages of one channel go, and where they are counted. */
interface Route {
  delivers: Deliver[]
  tally: Tally | undefined
}

/**
 * All that one worker hears, over one connection, which is opened at first need and subscribes again by itself after
 * it was lost.
 */
export function createSubscriber(of: {
  names: Names
  /** For scripts; the subscriptions have a connection of their own. */
  redis: Redis
  connect: () => Redis
  /** The connection was lost: what is published until it is back is missed. */
  onCut: () => void
  onBack: () => void
  /** So many messages of each channel never came. */
  onLost: (lost: ReadonlyMap<string, number>) => void
}): Subscriber {
  const { names } = of
  const losses = createLosses(of)
  const entries = new Set<{ tuned: Tuned; deliver: Deliver }>()
  /** Who gets the messages of a channel: worked out at its first message. */
  const routes = new Map<string, Route>()
  let redis: Redis | undefined
  let isReady = false
  let wasCut = false
  let marks: Promise<unknown> | undefined
  let closed = false
  const repeated = createRepeatCheck()

  const route = (channel: string): Route => {
    const known = routes.get(channel)
    if (known) return known
    const found = [...entries].filter(({ tuned }) => tuned.matches(channel)).map(({ deliver }) => deliver)
    const made = { delivers: [...new Set(found)], tally: losses.tallyOf(channel) }
    if (routes.size >= ROUTES) routes.clear()
    routes.set(channel, made)
    return made
  }

  const onMessage = (pattern: string | undefined, channel: string, raw: string) => {
    if (closed) return
    if (channel === losses.channel) return losses.take(raw)
    if (repeated(pattern, channel, raw)) return
    const { delivers, tally } = route(channel)
    if (tally) tally.heard++
    if (!delivers.length) return
    const delivery = createDelivery(names, channel, raw)
    for (const deliver of delivers) deliver(delivery)
  }

  const back = () => {
    if (closed || !isReady || !wasCut) return
    wasCut = false
    of.onBack()
    losses.compare()
  }

  /** Resolves when the marks of the losses are heard. */
  const hearMarks = async () => {
    marks ??= connection().subscribe(losses.channel)
    await marks.catch((error: unknown) => {
      marks = undefined
      throw error
    })
  }

  const connection = (): Redis => {
    if (redis) return redis
    redis = of.connect()
    redis.on('message', (channel: string, raw: string) => onMessage(undefined, channel, raw))
    redis.on('pmessage', onMessage)
    redis.on('ready', () => {
      isReady = true
      if (!wasCut) return
      // ioredis has sent the subscriptions by now: when this is answered, they are confirmed
      redis?.ping().then(back, () => {})
    })
    redis.on('close', () => {
      if (isReady && !closed) of.onCut()
      wasCut ||= isReady
      isReady = false
    })
    return redis
  }

  const others = (tuned: Tuned) =>
    [...entries].some(({ tuned: { name, isPattern } }) => name === tuned.name && isPattern === tuned.isPattern)

  return {
    async add(tuned, deliver, counted = true) {
      const entry = { tuned, deliver }
      let unwatch = () => {}
      entries.add(entry)
      routes.clear()
      const remove = async () => {
        if (!entries.delete(entry)) return
        unwatch()
        routes.clear()
        if (closed || others(tuned)) return
        await (tuned.isPattern ? connection().punsubscribe(tuned.name) : connection().unsubscribe(tuned.name))
      }
      try {
        const { isPattern, name } = tuned
        const heard = isPattern ? connection().psubscribe(name) : connection().subscribe(name)
        await (counted ? Promise.all([heard, hearMarks()]) : heard)
      } catch (error) {
        entries.delete(entry)
        routes.clear()
        throw error
      }
      if (counted && !closed) {
        unwatch = losses.watch(tuned)
        routes.clear()
      }
      return remove
    },
    close() {
      closed = true
      losses.close()
      redis?.disconnect()
    },
  }
}

/**
 * Redis delivers one message once for the channel and once for each pattern that match it, one right after the other,
 * the channel first. So whatever has the same channel and text as the delivery before, and comes by a pattern that the
 * message hasn't come by yet, is the same message.
 */
function createRepeatCheck(): (pattern: string | undefined, channel: string, raw: string) => boolean {
  let lastChannel = ''
  let lastRaw = ''
  const seen = new Set<string>()
  return (pattern, channel, raw) => {
    if (pattern !== undefined && channel === lastChannel && !seen.has(pattern) && raw === lastRaw) {
      seen.add(pattern)
      return true
    }
    lastChannel = channel
    lastRaw = raw
    seen.clear()
    if (pattern !== undefined) seen.add(pattern)
    return false
  }
}
