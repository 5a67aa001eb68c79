import { defineProcessor } from 'hysas'
import { z } from 'zod'

/** Hears workers by nickname, and a channel; keeps when it last heard something. */
export default defineProcessor({
  params: z.object({ nicknames: z.array(z.string()), channel: z.string().default('nothing') }),
  subscribe: ({ params }) => [
    ...(params as { nicknames: string[] }).nicknames.map((nickname) => ({ nickname })),
    { channel: (params as { channel: string }).channel },
  ],
  receive(ctx) {
    void ctx.redis.set(`${ctx.namespace}:heard:${ctx.nickname}`, Date.now())
  },
  operations: { there: { run: () => true } },
})
