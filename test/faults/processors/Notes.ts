import { defineProcessor } from 'hysas'
import { z } from 'zod'

let recorded = 0

/** Records one event after another, each with a key of its own. */
export default defineProcessor({
  params: z.object({ everyMs: z.number().default(10) }),
  async produce(ctx) {
    while (!ctx.signal.aborted) {
      await ctx.events.record('noted', { key: `${ctx.nickname}-${recorded}`, message: `note ${recorded}` })
      recorded++
      await ctx.sleep(ctx.params.everyMs)
    }
  },
  operations: { recorded: { run: () => recorded } },
})
