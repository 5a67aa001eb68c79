import { defineProcessor } from 'hysas'
import { z } from 'zod'

const busy = (ms: number) => {
  for (const end = performance.now() + ms; performance.now() < end; );
}
const later = (work: () => void) => void setTimeout(work, 10)

/** One of many in a common child; does on command what no worker should. */
export default defineProcessor({
  isolation: 'shared',
  graceSeconds: 1,
  restart: { minDelayMs: 10, maxDelayMs: 50 },
  params: z.object({ ends: z.enum(['well', 'never', 'loops']).default('well') }),
  async produce(ctx) {
    for (let n = 0; !ctx.signal.aborted; n++) {
      await ctx.publish({ epoch: ctx.epoch, n })
      await ctx.sleep(50)
    }
  },
  operations: {
    loop: { run: () => later(() => busy(Number.POSITIVE_INFINITY)) },
    starve: { run: () => void setInterval(() => busy(400), 500) },
    throwLater: {
      run: () =>
        later(() => {
          throw new Error('nobody caught this')
        }),
    },
    rejectLater: { run: () => later(() => void Promise.reject(new Error('nobody awaited this'))) },
    exit: { run: () => process.exit(0) },
    print: { run: () => console.log('printed') },
  },
  async beforeTermination(ctx) {
    if (ctx.params.ends === 'loops') busy(Number.POSITIVE_INFINITY)
    if (ctx.params.ends === 'never') await new Promise(() => {})
  },
})
