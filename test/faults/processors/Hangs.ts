import { defineProcessor } from 'hysas'
import { z } from 'zod'

export default defineProcessor({
  graceSeconds: 1,
  params: z.object({ how: z.enum(['waits', 'loops']) }),
  start() {},
  async beforeTermination(ctx) {
    if (ctx.params.how === 'loops') for (;;);
    await new Promise(() => {})
  },
})
