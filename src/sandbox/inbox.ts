import type { Delivery } from './delivery.js'

/** What a worker may be behind with; beyond it the oldest messages are dropped, and counted. */
const LIMIT_MESSAGES = 100_000
const LIMIT_BYTES = 64 * 1024 * 1024
/** How long handlers that return at once may keep the event loop from heartbeats and the network. */
const SLICE_MS = 10

export interface Inbox {
  push(delivery: Delivery): void
  /** Takes no more and drops what waits. Resolves when the handlers at work have returned. */
  close(): Promise<void>
}

/**
 * A queue before one handler: in order, `concurrency` at a time.
 * @param handle must not throw or reject
 */
export function createInbox(of: {
  handle: (delivery: Delivery) => unknown
  concurrency: number
  /** Nothing is handled before it resolves. */
  gate: Promise<void>
  onDrop: (count: number) => void
}): Inbox {
  let queue: Delivery[] = []
  let head = 0
  let bytes = 0
  let closed = false
  const working = new Set<Promise<void>>()

  const take = (): Delivery | undefined => {
    const delivery = queue[head]
    if (!delivery) return undefined
    head++
    bytes -= delivery.raw.length
    if (head > 1024 && head * 2 > queue.length) {
      queue = queue.slice(head)
      head = 0
    }
    return delivery
  }

  const work = async () => {
    await of.gate
    await nextTurn()
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

  return {
    push(delivery) {
      if (closed) return
      queue.push(delivery)
      bytes += delivery.raw.length
      let dropped = 0
      while (queue.length - head > LIMIT_MESSAGES || bytes > LIMIT_BYTES) {
        take()
        dropped++
      }
      if (dropped) of.onDrop(dropped)
      if (working.size < of.concurrency && working.size < queue.length - head) {
        const one: Promise<void> = work().finally(() => working.delete(one))
        working.add(one)
      }
    },
    async close() {
      closed = true
      queue = []
      head = bytes = 0
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
