import { defineProcessor } from 'hysas'
import { z } from 'zod'

/** Publishes what it is told to, and its clock. */
export default defineProcessor({
  params: z.object({ everyMs: z.number().default(0) }),
  async produce(ctx) {
    while (!ctx.signal.aborted) {
      if (ctx.params.everyMs) void ctx.publish({ at: Date.now() })
      await ctx.sleep(ctx.params.everyMs || 1000)
    }
  },
  operations: {
    /** As fast as Redis takes them. */
    say: {
      args: z.object({ count: z.number(), bytes: z.number() }),
      async run(ctx, { count, bytes }) {
        const text = 'x'.repeat(bytes)
        for (let i = 0; i < count; i += 500) {
          const some = Array.from({ length: Math.min(500, count - i) }, () => ctx.publish(text))
          await Promise.all(some)
        }
        return count
      },
    },
    huge: { args: z.object({ bytes: z.number() }), run: (ctx, { bytes }) => ctx.publish('x'.repeat(bytes)) },
  },
})
