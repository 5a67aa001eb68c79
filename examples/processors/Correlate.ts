import { defineProcessor, type Source } from 'hysas'
import { z } from 'zod'

const params = z.object({
  left: z.string().describe('Nickname of the first worker.'),
  right: z.string().describe('Nickname of the second worker.'),
  leftKey: z.string().default('source').describe('Field of its messages that must equal ...'),
  rightKey: z.string().default('source').describe('... this field of the other.'),
  windowSeconds: z.number().positive().default(60).describe('How far apart the two may come.'),
})

type Side = 'left' | 'right'
interface Waiting {
  side: Side
  data: unknown
  at: number
}

/** A module is shared by all workers of a type in one process (`isolation: shared`), so state belongs to the run. */
const runs = new WeakMap<AbortSignal, Map<string, Waiting>>()

/** Joins two streams: publishes `{key, left, right}` as soon as both workers have said something about the same key. */
export default defineProcessor({
  description: 'Publishes what two workers say about the same thing within a minute.',
  params,
  messages: z.record(z.string(), z.unknown()),
  subscribe: ({ params: { left, right } }): Source[] => [{ nickname: left }, { nickname: right }],

  start(ctx) {
    runs.set(ctx.signal, new Map())
  },

  async receive(ctx, message) {
    const waiting = runs.get(ctx.signal)
    // A message tells who published it; the channel that all workers hear has no worker's name.
    if (!waiting || message.nickname === undefined) return
    const side: Side = message.nickname === ctx.params.left ? 'left' : 'right'
    const value = message.data[side === 'left' ? ctx.params.leftKey : ctx.params.rightKey]
    if (value === undefined) return
    const key = String(value)
    const now = Date.now()
    const windowMs = ctx.params.windowSeconds * 1000

    const other = waiting.get(key)
    if (other && other.side !== side && now - other.at <= windowMs) {
      waiting.delete(key)
      const pair = { [side]: message.data, [other.side]: other.data }
      await ctx.events.record('correlated', { source: key, message: `both know ${key}`, data: pair })
      await ctx.publish({ key, ...pair })
      return
    }
    // Set anew, so that the oldest stand first and can be taken off from the front.
    waiting.delete(key)
    waiting.set(key, { side, data: message.data, at: now })
    for (const [old, { at }] of waiting) {
      if (waiting.size <= MOST_WAITING && now - at <= windowMs) break
      waiting.delete(old)
    }
  },
})

const MOST_WAITING = 10_000
