import { defineProcessor, type Source } from 'hysas'
import { z } from 'zod'

const params = z.object({
  channel: z.string().default('lines').describe('Channel to hear, where no worker is named.'),
  worker: z.string().optional().describe('Nickname of a worker to hear instead.'),
})

/** The smallest useful worker: it hears something, changes it, and publishes the result on a channel of its own. */
export default defineProcessor({
  description: 'Publishes in capitals what it hears.',
  params,

  // What to hear may depend on the parameters. Others ways to name it: {type} and {type, nickname}.
  subscribe: ({ params: { worker, channel } }): Source => (worker ? { nickname: worker } : { channel }),

  // One message at a time, in order. An error thrown here is logged and counted, and the worker goes on.
  async receive(ctx, message) {
    await ctx.publish(String(message.data).toUpperCase())
  },

  // Reached by `hysas send`, by HTTP, and by a message on the worker's Command channel; arguments are checked first.
  operations: {
    shout: {
      description: 'Publishes one text at once, and returns it.',
      args: z.object({ text: z.string() }),
      async run(ctx, { text }) {
        const loud = `${text.toUpperCase()}!`
        await ctx.publish(loud)
        return loud
      },
    },
  },
})
