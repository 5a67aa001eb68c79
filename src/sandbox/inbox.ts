import type { Receiving } from '../contract.js'
import type { Delivery } from '../redis/delivery.js'

/** What a handler may be behind with. */
const LIMIT_MESSAGES = 100_000
const LIMIT_BYTES = 64 * 1024 * 1024
/** What a message that waits takes beside its payload, in bytes, about. */
const OVERHEAD = 400
/** Chunks of the network that messages may hold on to while few wait; beyond it each has a copy of its own. */
const CHUNK_BYTES = 256 * 1024
/** How long handlers that return at once may keep the event loop from heartbeats and the network. */
const SLICE_MS = 10

export interface Inbox {
  push(delivery: Delivery): void
  /** Takes no more and drops what waits. Resolves when the handlers at work have returned. */
  close(): Promise<void>
}

/**
 * A queue before one handler: in order, `concurrency` at a time. Beyond its limits the oldest messages are dropped, or
 * the newest; or it asks for no more, which takes a moment to have effect, and drops none.
 * @param of.handle must not throw or reject
 */
export function createInbox(of: {
  handle: (delivery: Delivery) => unknown
  concurrency: number
  receiving?: Receiving | undefined
  /** Nothing is handled before it resolves. */
  gate: Promise<void>
  onDrop: (channel: string) => void
  /** With `wait`: it is full; and there is room again. */
  onFull?: ((isFull: boolean) => void) | undefined
}): Inbox {
  const { limitMessages = LIMIT_MESSAGES, limitBytes = LIMIT_BYTES, whenFull = 'dropOldest' } = of.receiving ?? {}
  let queue: (Delivery | undefined)[] = []
  let head = 0
  let bytes = 0
  let chunkBytes = 0
  let isFull = false
  let isOpen = false
  let closed = false
  /** Handed out in this turn of the event loop without having waited. */
  let handledNow = 0
  let turnEnd = 0
  const working = new Set<Promise<void>>()
  void of.gate.then(() => {
    isOpen = true
  })

  const tell = (full: boolean) => {
    if (isFull === full) return
    isFull = full
    of.onFull?.(full)
  }

  const take = (): Delivery | undefined => {
    const delivery = queue[head]
    if (!delivery) return undefined
    queue[head++] = undefined
    bytes -= delivery.size + OVERHEAD
    if (head > 1024 && head * 2 > queue.length) {
      queue = queue.slice(head)
      head = 0
    }
    if (isFull && queue.length - head <= limitMessages / 2 && bytes <= limitBytes / 2) tell(false)
    return delivery
  }

  /** A message of a few bytes must not keep the chunk it came in, and what most often goes at once is not worth a copy. */
  const settle = (delivery: Delivery) => {
    if (head === queue.length) chunkBytes = 0
    const { memory } = delivery
    if (memory && memory !== queue[queue.length - 1]?.memory) chunkBytes += memory.byteLength
    if (chunkBytes > CHUNK_BYTES) delivery.keep()
  }

  const isOver = () => queue.length - head > limitMessages || bytes > limitBytes

  /** Hands out what waits, once `before` is over. */
  const work = async (before: unknown) => {
    await before
    let sliceEnd = performance.now() + SLICE_MS
    for (let n = 1, delivery = take(); delivery && !closed; delivery = take(), n++) {
      const returned = of.handle(delivery)
      if (isThenable(returned)) await returned
      if (n % 32 === 0 && performance.now() > sliceEnd) {
        await nextTurn()
        sliceEnd = performance.now() + SLICE_MS
      }
    }
  }

  const begin = (before: unknown) => {
    const one: Promise<void> = work(before).finally(() => working.delete(one))
    working.add(one)
  }

  /** Handlers that return at once may have the rest of a turn of the event loop, but no more than a slice of time. */
  const hasTime = (): boolean => {
    if (handledNow++ === 0) {
      turnEnd = performance.now() + SLICE_MS
      setImmediate(() => {
        handledNow = 0
      })
    }
    return handledNow % 32 !== 0 || performance.now() < turnEnd
  }

  const makeRoom = () => {
    if (whenFull === 'wait') return tell(true)
    while (isOver()) {
      const dropped = whenFull === 'dropOldest' ? take() : queue.pop()
      if (!dropped) return
      if (whenFull === 'dropNewest') bytes -= dropped.size + OVERHEAD
      of.onDrop(dropped.origin.channel)
    }
  }

  return {
    push(delivery) {
      if (closed) return
      const isIdle = working.size < of.concurrency && head === queue.length
      if (isIdle && isOpen && hasTime()) {
        const returned = of.handle(delivery)
        if (isThenable(returned)) begin(returned)
        return
      }
      settle(delivery)
      queue.push(delivery)
      bytes += delivery.size + OVERHEAD
      if (isOver()) makeRoom()
      if (working.size < of.concurrency && working.size < queue.length - head) {
        begin(of.gate.then(nextTurn))
      }
    },
    async close() {
      closed = true
      queue = []
      head = bytes = 0
      tell(false)
      await Promise.all(working)
    },
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
