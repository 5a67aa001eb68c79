import { type Context, defineProcessor } from 'hysas'
import { z } from 'zod'
import { alertsOf, minuteOf, minutesWithAlerts } from './lib/alert-counters.js'
import { loadState, saveState } from './lib/saved-state.js'

const params = z.object({
  most: z.number().int().min(1).max(1000).default(20).describe('Sources that are named; the others are only counted.'),
  settleSeconds: z
    .number()
    .int()
    .min(0)
    .max(60)
    .default(2)
    .describe('Wait so long after a minute before it is closed.'),
})
type Ctx = Context<z.output<typeof params>>

/** What stands on the Pub channel, and in the event store as an event `count`, once for each minute with alerts. */
export interface MinuteCount {
  /** ISO time of the minute's beginning. */
  minute: string
  /** Alerts in it. */
  total: number
  /** Different sources. */
  sources: number
  /** The busiest sources, most alerts first. */
  top: { source: string; count: number }[]
}

/**
 * The detectors count each alert in Redis as they raise it (lib/alert-counters.ts); this worker closes the minutes. It
 * remembers the last one that it closed, so that minutes which ended while it was away (up to a day) are told late and
 * none twice. Several of these workers do not disturb each other.
 */
export default defineProcessor({
  description: 'Tells once a minute how many alerts there were, and from which sources.',
  params,
  every: '10s',

  async tick(ctx) {
    const now = Date.now()
    const open = minuteOf(now - ctx.params.settleSeconds * 1000)
    const closed = await lastClosed(ctx)
    for (const minute of await minutesWithAlerts(ctx, closed, open)) {
      const count = await countOf(ctx, minute)
      if (count.total > 0) await tell(ctx, count) // none: its numbers are not kept any more
      await saveState(ctx, { closed: minute })
    }
    ctx.progress({ thisMinute: await countOf(ctx, minuteOf(now)) })
  },
})

async function lastClosed(ctx: Ctx): Promise<number> {
  const kept = (await loadState(ctx)) as { closed?: number } | undefined
  return kept?.closed ?? 0
}

async function countOf(ctx: Ctx, minute: number): Promise<MinuteCount> {
  const counts = await alertsOf(ctx, minute)
  return {
    minute: new Date(minute).toISOString(),
    total: counts.reduce((sum, { count }) => sum + count, 0),
    sources: counts.length,
    top: counts.slice(0, ctx.params.most),
  }
}

/** The event's key lets a minute through once, should the worker die between telling and remembering. */
async function tell(ctx: Ctx, count: MinuteCount): Promise<void> {
  const worst = count.top[0]
  const [alerts, sources] = [plural(count.total, 'alert'), plural(count.sources, 'source')]
  const message = `${alerts} from ${sources} in the minute of ${count.minute.slice(11, 16)} UTC`
  const key = `minute:${count.minute}`
  await ctx.events.record('count', { message, data: count, key, ...(worst ? { source: worst.source } : {}) })
  await ctx.publish(count)
  ctx.log.info({ total: count.total, sources: count.sources, worst }, 'minute closed')
}

const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`
