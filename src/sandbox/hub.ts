import type { Redis } from 'ioredis'
import type { ReadCodec } from '../contract.js'
import { Delivery, deliveriesOf, type Origin, originOf } from '../redis/delivery.js'
import { FRAME_MARK } from '../redis/frames.js'
import type { Names } from '../redis/names.js'
import { SUBSCRIPTIONS } from '../redis/take-messages.js'
import { createLine } from './line.js'
import { createLosses, type Tally } from './losses.js'
import { createRepeatCheck } from './repeats.js'
import { createSeat, type Entry, type Seat } from './seat.js'
import type { Deliver, Subscriber, SubscriberEvents } from './subscriber.js'

/** All that the workers of one process hear, over one connection. */
export interface Hub {
  /** Connects, before anybody wants to hear anything. */
  open(): void
  /** One more worker. */
  join(events: SubscriberEvents): Subscriber
  /** Reads nothing more for now, or again. */
  pause(isPaused: boolean): void
  /** Closes the connection; nothing is delivered any more. */
  close(): void
}

const ROUTES = 10_000

/** Where the messages of one channel go, and where they are counted. */
interface Route {
  origin: Origin
  /** By how they want it read. */
  readers: { codec: ReadCodec | undefined; delivers: Deliver[] }[]
  tally: Tally | undefined
}

/**
 * A message comes once, is parsed once and counted once, however many workers and handlers hear it; so it is the same
 * object for all of them.
 * @param of.redis for scripts; the subscriptions have a connection of their own, opened at first need
 */
export function createHub(of: { names: Names; redis: Redis; connect: () => Redis }): Hub {
  const { names } = of
  const losses = createLosses(of)
  const seats = new Set<Seat>()
  const byChannel = new Map<string, Set<Entry>>()
  const byPattern = new Map<string, Set<Entry>>()
  /** Worked out at a channel's first message. */
  const routes = new Map<string, Route>()
  let closed = false
  const repeats = createRepeatCheck()

  const entriesOf = (channel: string): Entry[] => {
    const found = [...(byChannel.get(channel) ?? [])]
    for (const entries of byPattern.values()) {
      const [first] = entries
      if (first?.tuned.matches(channel)) found.push(...entries)
    }
    return found
  }

  const route = (channel: string): Route => {
    const known = routes.get(channel)
    if (known) return known
    const made = {
      origin: originOf(names, channel),
      readers: readersOf(entriesOf(channel)),
      tally: losses.tallyOf(channel),
    }
    if (routes.size >= ROUTES) routes.clear()
    routes.set(channel, made)
    return made
  }

  const line = createLine({
    connect() {
      const redis = of.connect()
      redis.on(SUBSCRIPTIONS, repeats.reset)
      return redis
    },
    onMessage(pattern, channelBytes, payload) {
      if (closed) return
      const channel = textOf(channelBytes)
      if (channel === losses.channel) return losses.take(payload.toString())
      if (repeats.isRepeat(pattern, channel, payload)) return
      deliver(route(channel), payload)
    },
    onCut() {
      repeats.reset()
      for (const seat of seats) seat.events.onCut()
    },
    onBack() {
      for (const seat of seats) seat.events.onBack()
      losses.compare()
    },
  })

  const textOf = createMemo()

  const reroute = ({ isPattern, name }: Entry['tuned']) => {
    if (isPattern) routes.clear()
    else routes.delete(name)
  }
  let marks: Promise<void> | undefined
  /** Resolves when the marks of the losses are heard. */
  const hearMarks = async () => {
    marks ??= line.hold({ name: losses.channel, isPattern: false })
    await marks.catch((error: unknown) => {
      marks = undefined
      throw error
    })
  }

  const put = (entry: Entry) => {
    const all = entry.tuned.isPattern ? byPattern : byChannel
    const entries = all.get(entry.tuned.name) ?? new Set()
    all.set(entry.tuned.name, entries.add(entry))
    reroute(entry.tuned)
  }
  const take = (entry: Entry) => {
    const all = entry.tuned.isPattern ? byPattern : byChannel
    const entries = all.get(entry.tuned.name)
    entries?.delete(entry)
    if (entries?.size === 0) all.delete(entry.tuned.name)
    reroute(entry.tuned)
  }

  return {
    open: line.open,
    join(events) {
      const seat = createSeat({
        events,
        put,
        take,
        async hold({ tuned }, counted) {
          await (counted ? Promise.all([line.hold(tuned), hearMarks()]) : line.hold(tuned))
        },
        watch({ tuned }) {
          const unwatch = losses.watch(tuned, events.onLost)
          reroute(tuned)
          return unwatch
        },
        release: ({ tuned }) => line.release(tuned),
        onClose: () => seats.delete(seat),
      })
      seats.add(seat)
      return seat
    },
    close() {
      closed = true
      losses.close()
      line.close()
    },
    pause: line.pause,
  }
}

/** One handler gets a message once, however many of its sources match: it is read as the first of them says. */
function readersOf(entries: readonly Entry[]): Route['readers'] {
  const first = new Map<Deliver, ReadCodec | undefined>()
  for (const { deliver, tuned } of entries) if (!first.has(deliver)) first.set(deliver, tuned.codec)
  const codecs = new Set(first.values())
  return [...codecs].map((codec) => ({ codec, delivers: [...first.keys()].filter((one) => first.get(one) === codec) }))
}

function deliver({ origin, readers, tally }: Route, payload: Buffer): void {
  if (payload[0] === FRAME_MARK) {
    deliverFrame({ origin, readers, tally }, payload)
    return
  }
  if (tally) tally.heard++
  for (const { codec, delivers } of readers) {
    const delivery = new Delivery(origin, payload, undefined, payload.length, codec)
    for (const one of delivers) one(delivery)
  }
}

function deliverFrame({ origin, readers, tally }: Route, payload: Buffer): void {
  const [first = { codec: undefined, delivers: [] }, ...others] = readers
  const deliveries = deliveriesOf(origin, payload, first.codec)
  if (tally) tally.heard += deliveries.length
  for (const delivery of deliveries) for (const one of first.delivers) one(delivery)
  for (const { codec, delivers } of others) {
    for (const delivery of deliveriesOf(origin, payload, codec)) for (const one of delivers) one(delivery)
  }
}

/** Names of channels come again and again: one after the other is often the same. */
function createMemo(): (bytes: Buffer) => string {
  let last = Buffer.alloc(0)
  let text = ''
  return (bytes) => {
    if (!last.equals(bytes)) {
      last = Buffer.from(bytes) // a copy: it would keep the whole chunk that came with it
      text = bytes.toString()
    }
    return text
  }
}
