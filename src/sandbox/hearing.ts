import type { Message, Receiving, Source, Subscription } from '../contract.js'
import { HysasError } from '../errors.js'
import type { Delivery } from '../redis/delivery.js'
import type { Names } from '../redis/names.js'
import { createInbox, type Inbox } from './inbox.js'
import { tune } from './source.js'
import type { Deliver, Subscriber } from './subscriber.js'

export type Handle = (delivery: Delivery) => unknown

/** All that one worker hears, each handler behind a queue of its own. */
export interface Hearing {
  /** Without `handler`, messages go to `receive`. @throws HysasError BAD_ARGS, BAD_TYPE, BAD_NICKNAME */
  add(source: Source, handler?: (message: Message) => unknown): Promise<Subscription>
  /** Ends what `receive` hears of a source. @returns whether it heard it */
  remove(source: Source): Promise<boolean>
  /** A channel that is heard without being shown. */
  tap(channel: string, handle: Handle, concurrency: number): Promise<void>
  /** The same, handed to `receive`. */
  tapReceive(channel: string): Promise<void>
  /** Channels and patterns, as Redis knows them. */
  names(): string[]
  /** What has come so far, and all that follows, is handed to the handlers from now on. */
  open(): void
  /** Nothing is handed out any more. Resolves when the handlers at work have returned. */
  close(): Promise<void>
}

export function createHearing(of: {
  names: Names
  /** For what is only tapped. */
  subscriber: Subscriber
  /** For all that may be read more slowly than it comes. */
  sources: Subscriber
  /** Hands a message to `receive`, if there is one. */
  receive: { handle: Handle; concurrency: number } | undefined
  /** Makes what must not throw of a handler that may. */
  guarded: (handler: (message: Message) => unknown) => Handle
  /** What may wait before `receive`, and before each handler. */
  receiving?: Receiving | undefined
  onDrop: (channel: string) => void
  /** With `whenFull: 'wait'`: the sources are to be read no further, or again. */
  onFull: (isFull: boolean) => void
  /** Something else is heard than before. */
  onChange: () => void
}): Hearing {
  const { names, subscriber, sources } = of
  const inboxes = new Set<Inbox>()
  /** What `receive` hears, by name. */
  const received = new Map<string, Promise<() => Promise<void>>>()
  const shown = new Map<symbol, string>()
  let open: () => void = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })

  let full = 0
  const onFull = (isFull: boolean) => {
    full += isFull ? 1 : -1
    of.onFull(full > 0)
  }

  const inbox = (handle: Handle, concurrency: number, receiving?: Receiving): Inbox => {
    const made = createInbox({ handle, concurrency, receiving, gate, onDrop: of.onDrop, onFull })
    inboxes.add(made)
    return made
  }
  const toReceive = of.receive && inbox(of.receive.handle, of.receive.concurrency, of.receiving)
  const deliverToReceive: Deliver = (delivery) => toReceive?.push(delivery)

  const show = async (name: string, adding: Promise<() => Promise<void>>): Promise<() => Promise<void>> => {
    const key = Symbol(name)
    const end = await adding
    shown.set(key, name)
    of.onChange()
    return async () => {
      if (!shown.delete(key)) return
      of.onChange()
      await end()
    }
  }

  const addToReceive = async (source: Source): Promise<Subscription> => {
    if (!toReceive) {
      const problems = 'this processor has no receive, so a handler is wanted'
      throw new HysasError('BAD_ARGS', { operation: 'subscribe', problems })
    }
    const tuned = tune(names, source)
    const adding = received.get(tuned.name) ?? show(tuned.name, sources.add(tuned, deliverToReceive))
    received.set(tuned.name, adding)
    try {
      await adding
    } catch (error) {
      received.delete(tuned.name)
      throw error
    }
    return { source, unsubscribe: async () => void (await remove(source)) }
  }

  const remove = async (source: Source): Promise<boolean> => {
    const { name } = tune(names, source)
    const adding = received.get(name)
    if (!adding) return false
    received.delete(name)
    const end = await adding
    await end()
    return true
  }

  return {
    async add(source, handler) {
      if (!handler) return addToReceive(source)
      const tuned = tune(names, source)
      const own = inbox(of.guarded(handler), 1, of.receiving)
      const end = await show(tuned.name, sources.add(tuned, own.push))
      return {
        source,
        async unsubscribe() {
          inboxes.delete(own)
          void own.close() // not awaited: it may be called from within the handler
          await end()
        },
      }
    },
    remove,
    async tap(channel, handle, concurrency) {
      await subscriber.add(tune(names, { channel }), inbox(handle, concurrency).push, false)
    },
    async tapReceive(channel) {
      if (toReceive) await sources.add(tune(names, { channel }), deliverToReceive)
    },
    names: () => [...new Set(shown.values())],
    open,
    async close() {
      open() // a worker that never opened must not wait for it
      await Promise.all([...inboxes].map((one) => one.close()))
    },
  }
}
