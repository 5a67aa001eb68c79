import type { Redis } from 'ioredis'
import type { Names } from '../redis/names.js'
import { createDelivery, type Delivery } from './delivery.js'
import type { Tuned } from './source.js'

export type Deliver = (delivery: Delivery) => void

export interface Subscriber {
  /**
   * Resolves when Redis has confirmed it. A message that several of them match is delivered once to each `deliver`.
   * @returns what ends it again
   */
  add(tuned: Tuned, deliver: Deliver): Promise<() => Promise<void>>
  /** Closes the connection; nothing is delivered any more. */
  close(): void
}

const ROUTES = 10_000

/**
 * All that one worker hears, over one connection, which is opened at first need and subscribes again by itself after
 * it was lost.
 */
export function createSubscriber(of: {
  names: Names
  connect: () => Redis
  /** The connection was lost: what is published until it is back is missed. */
  onLost: () => void
}): Subscriber {
  const { names } = of
  const entries = new Set<{ tuned: Tuned; deliver: Deliver }>()
  /** Who gets the messages of a channel: worked out at its first message. */
  const routes = new Map<string, Deliver[]>()
  let redis: Redis | undefined
  let wasReady = false
  let closed = false
  const repeated = createRepeatCheck()

  const route = (channel: string): Deliver[] => {
    const known = routes.get(channel)
    if (known) return known
    const found = [...entries].filter(({ tuned }) => tuned.matches(channel)).map(({ deliver }) => deliver)
    const once = [...new Set(found)]
    if (routes.size >= ROUTES) routes.clear()
    routes.set(channel, once)
    return once
  }

  const onMessage = (pattern: string | undefined, channel: string, raw: string) => {
    if (closed || repeated(pattern, channel, raw)) return
    const delivers = route(channel)
    if (!delivers.length) return
    const delivery = createDelivery(names, channel, raw)
    for (const deliver of delivers) deliver(delivery)
  }

  const connection = (): Redis => {
    if (redis) return redis
    redis = of.connect()
    redis.on('message', (channel: string, raw: string) => onMessage(undefined, channel, raw))
    redis.on('pmessage', onMessage)
    redis.on('ready', () => {
      wasReady = true
    })
    redis.on('close', () => {
      if (wasReady && !closed) of.onLost()
      wasReady = false
    })
    return redis
  }

  const others = (tuned: Tuned) =>
    [...entries].some(({ tuned: { name, isPattern } }) => name === tuned.name && isPattern === tuned.isPattern)

  return {
    async add(tuned, deliver) {
      const entry = { tuned, deliver }
      entries.add(entry)
      routes.clear()
      const remove = async () => {
        if (!entries.delete(entry)) return
        routes.clear()
        if (closed || others(tuned)) return
        await (tuned.isPattern ? connection().punsubscribe(tuned.name) : connection().unsubscribe(tuned.name))
      }
      try {
        await (tuned.isPattern ? connection().psubscribe(tuned.name) : connection().subscribe(tuned.name))
      } catch (error) {
        entries.delete(entry)
        routes.clear()
        throw error
      }
      return remove
    },
    close() {
      closed = true
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
