import { defineProcessor, type Log } from 'hysas'
import { createMonitor } from 'hysas/monitor'

/** Lasts as long as the child does: what it remembers from one tick to the next can be read anew. */
let monitor: ReturnType<typeof createMonitor> | undefined
/** Of the tick that is under way. */
let log: Log

export default defineProcessor({
  description: 'Judges the heartbeats of all workers, makes jobs and fleet agree, and forgets what ended a day ago.',
  every: 1000,
  async tick(ctx) {
    log = ctx.log
    monitor ??= createMonitor({
      redis: ctx.redis,
      namespace: ctx.namespace,
      log: { warn: (fields, message) => log.warn(fields, message) },
    })
    const { alive, disappeared, wedged, repaired } = await monitor.tick()
    await ctx.publish({
      alive,
      disappeared: disappeared.map(({ nickname }) => nickname),
      wedged: wedged.map(({ nickname }) => nickname),
      repaired: repaired.map(({ message }) => message),
    })
  },
})
