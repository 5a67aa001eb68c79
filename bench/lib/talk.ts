import type { Bench } from './bench.js'
import type { Fleet } from './fleet.js'
import { startFleet } from './fleet.js'
import { startProgram } from './program.js'

export interface Heard {
  count: number
  sum: number
  /** ms on their way. */
  p50: number
  p99: number
}

export interface Order {
  count: number
  /** Messages that may be unacknowledged. */
  window?: number
  perSecond?: number
}

/** One who speaks and one who listens, each in a process of its own. */
export interface Pair {
  /** Resolves when all has been heard. `ms` from the first to the last. */
  talk(order: Order): Promise<Heard & { ms: number }>
}

/**
 * A worker that publishes and one that receives, in the children of a real node; on a channel of messages as they are,
 * and on one of frames.
 */
export async function workers(bench: Bench): Promise<{ raw: Pair; frames: Pair; fleet: Fleet }> {
  const fleet = await startFleet(bench, { processors: ['Speaker', 'Listener'] })
  const { client } = fleet
  await client.start('Speaker', 'speaker')
  await client.start('Listener', 'listener')
  const send = (nickname: string, operation: string, args = {}) =>
    client.send(nickname, operation, args, { timeoutMs: 120_000 })
  const on = (channel: string): Pair => ({
    async talk({ count, window, perSecond }) {
      await send('listener', 'expect', { messages: count })
      const begun = performance.now()
      if (perSecond) await send('speaker', 'steady', { count, channel, perSecond })
      else await send('speaker', 'paced', { count, channel, window })
      const heard = (await send('listener', 'report')) as Heard
      return { ...heard, ms: performance.now() - begun }
    },
  })
  return { fleet, raw: on('bench:raw'), frames: on('bench:frames') }
}

/** The same of plain ioredis, or of NATS. */
export async function programs(bench: Bench, kind: 'ioredis' | 'nats', url: string): Promise<Pair> {
  const channel = 'bench.raw'
  const listener = startProgram(bench, 'bare-listener', { kind, url, channel })
  const speaker = startProgram(bench, 'bare-speaker', { kind, url })
  await Promise.all([listener.next(), speaker.next()])
  return {
    async talk(order) {
      listener.send(order.count)
      await listener.next()
      const begun = performance.now()
      speaker.send({ ...order, channel })
      const heard = await listener.next<Heard>()
      const ms = performance.now() - begun
      await speaker.next()
      return { ...heard, ms }
    },
  }
}

/** @throws Error where not all that was said was heard, each once */
export function complete({ count, sum }: Heard, wanted: number): void {
  if (count !== wanted || sum !== (wanted * (wanted - 1)) / 2) throw new Error(`${count} of ${wanted} messages came`)
}
