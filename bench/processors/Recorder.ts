import { defineProcessor } from 'hysas'
import { z } from 'zod'

/** When it hears `go`, records so many events as fast as it can, and says when the last is on its way. */
export default defineProcessor({
  params: z.object({ count: z.number().int().positive(), atOnce: z.number().int().positive() }),
  subscribe: [{ channel: 'bench:go' }],
  async receive(ctx) {
    let left = ctx.params.count
    const lane = async () => {
      while (left-- > 0) {
        await ctx.events.record('alert', { source: '203.0.113.7', message: 'a failed login for root', data: { left } })
      }
    }
    await Promise.all(Array.from({ length: ctx.params.atOnce }, lane))
    await ctx.publish('done')
  },
})
