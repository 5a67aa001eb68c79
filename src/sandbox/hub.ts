import type { Redis } from 'ioredis'
import type { Names } from '../redis/names.js'
import { createDelivery } from './delivery.js'
import { createLine } from './line.js'
import { createLosses, type Tally } from './losses.js'
import { createRepeatCheck } from './repeats.js'
import { createSeat, type Entry, type Seat } from './seat.js'
import type { Deliver, Subscriber, SubscriberEvents } from './subscriber.js'

/** All that the workers of one process hear, over one connection. */
export interface Hub {
  /** One more worker. */
  join(events: SubscriberEvents): Subscriber
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
  const repeated = createRepeatCheck()

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
    const found = entriesOf(channel).map(({ deliver }) => deliver)
    const made = { delivers: [...new Set(found)], tally: losses.tallyOf(channel) }
    if (routes.size >= ROUTES) routes.clear()
    routes.set(channel, made)
    return made
  }

  const line = createLine({
    connect: of.connect,
    onMessage(pattern, channel, raw) {
      if (closed) return
      if (channel === losses.channel) return losses.take(raw)
      if (repeated(pattern, channel, raw)) return
      const { delivers, tally } = route(channel)
      if (tally) tally.heard++
      if (!delivers.length) return
      const delivery = createDelivery(names, channel, raw)
      for (const deliver of delivers) deliver(delivery)
    },
    onCut() {
      for (const seat of seats) seat.events.onCut()
    },
    onBack() {
      for (const seat of seats) seat.events.onBack()
      losses.compare()
    },
  })

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
  }
}
