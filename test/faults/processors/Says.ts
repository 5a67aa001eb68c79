import { appendFileSync } from 'node:fs'
import { defineProcessor } from 'hysas'
import { z } from 'zod'

/** Says which run of it speaks; where a file is named, it writes the same there once Redis has taken it. */
export default defineProcessor({
  graceSeconds: 2,
  params: z.object({ everyMs: z.number().default(25), file: z.string().optional() }),
  async produce(ctx) {
    for (let n = 0; !ctx.signal.aborted; n++) {
      const said = { epoch: ctx.epoch, pid: process.pid, n }
      await ctx.publish(said)
      if (ctx.params.file) appendFileSync(ctx.params.file, `${JSON.stringify({ ...said, at: Date.now() })}\n`)
      await ctx.sleep(ctx.params.everyMs)
    }
  },
  operations: {
    pid: { run: () => process.pid },
    /** Something worth an event, `count` times. */
    note: {
      args: z.object({ count: z.number(), bytes: z.number().default(10) }),
      async run(ctx, { count, bytes }) {
        for (let i = 0; i < count; i++)
          await ctx.events.record('noted', { message: String(i), data: 'x'.repeat(bytes) })
        return count
      },
    },
  },
})
