import type { Tuned } from './source.js'
import type { Deliver, Subscriber, SubscriberEvents } from './subscriber.js'

/** Something that one worker hears. */
export interface Entry {
  readonly tuned: Tuned
  readonly deliver: Deliver
}

/** One worker at a hub. */
export interface Seat extends Subscriber {
  readonly events: SubscriberEvents
}

/** Keeps what one worker hears, so that all of it ends with the worker though the connection goes on. */
export function createSeat(of: {
  events: SubscriberEvents
  /** Messages that match go to the entry from now on, and after `take` no more. */
  put: (entry: Entry) => void
  take: (entry: Entry) => void
  /** Resolves when Redis has confirmed it. */
  hold: (entry: Entry, counted: boolean) => Promise<void>
  release: (entry: Entry) => Promise<void>
  /** Counts what is lost, from now on. @returns what ends that */
  watch: (entry: Entry) => () => void
  onClose: () => void
}): Seat {
  const removals = new Set<() => Promise<void>>()

  return {
    events: of.events,
    async add(tuned, deliver, counted = true) {
      const entry = { tuned, deliver }
      let unwatch = () => {}
      const remove = async () => {
        if (!removals.delete(remove)) return
        of.take(entry)
        unwatch()
        await of.release(entry)
      }
      removals.add(remove)
      of.put(entry)
      try {
        await of.hold(entry, counted)
      } catch (error) {
        if (removals.delete(remove)) of.take(entry)
        throw error
      }
      if (counted && removals.has(remove)) unwatch = of.watch(entry)
      return remove
    },
    close() {
      for (const remove of removals) remove().catch(() => {}) // the connection is on its way out, too
      of.onClose()
    },
  }
}
