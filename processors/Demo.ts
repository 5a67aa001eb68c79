import { defineProcessor } from 'hysas'
import { z } from 'zod'

export default defineProcessor({
  description: 'Publishes a number every second and prints what it hears, itself included.',
  params: z.object({
    everyMs: z.number().int().positive().default(1000).describe('Milliseconds between two numbers.'),
  }),
  subscribe: ({ nickname }) => [{ nickname }],
  async produce(ctx) {
    for (let n = 0; !ctx.signal.aborted; n++) {
      await ctx.publish(n)
      await ctx.sleep(ctx.params.everyMs)
    }
  },
  receive(ctx, message) {
    ctx.log.info({ from: message.channel, data: message.data }, 'heard')
  },
})
