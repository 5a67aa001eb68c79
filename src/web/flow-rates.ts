import type { Client } from '../client.js'

/** An edge of the observed graph, with messages per second. */
export type Flow = Awaited<ReturnType<Client['flows']>>[number] & {
  /** Published on the channel, per second. */
  rate: number
  /** Lost on the way to the hearer, per second. */
  lost_rate: number
}

/** Who hears whom as last read, and how fast: from what the counters have grown since the reading before. */
export class FlowRates {
  #flows: Flow[] = []
  #readAt = 0
  #text = ''

  /** Takes a reading of all. Returns whether anything differs from the last one. */
  take(read: Awaited<ReturnType<Client['flows']>>, nowMs = performance.now()): boolean {
    const seconds = (nowMs - this.#readAt) / 1000
    const before = new Map(this.#flows.map((flow) => [keyOf(flow), flow]))
    this.#readAt = nowMs
    this.#flows = read.map((flow) => {
      const last = before.get(keyOf(flow))
      // less than before: the worker, or Redis, has begun anew
      const grown = (now: number, then: number | undefined) => Math.max(0, now - (then ?? now)) / seconds
      return { ...flow, rate: grown(flow.published, last?.published), lost_rate: grown(flow.lost, last?.lost) }
    })
    const text = JSON.stringify(this.#flows)
    const differs = text !== this.#text
    this.#text = text
    return differs
  }

  now(): Flow[] {
    return this.#flows
  }
}

const keyOf = ({ from, to, channel }: { from: string; to: string; channel: string }): string =>
  `${from}\n${to}\n${channel}`
