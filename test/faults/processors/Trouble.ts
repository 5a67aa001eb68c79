import { defineProcessor } from 'hysas'

const endless = () => {
  for (;;);
}

/** Does on command what no worker should. */
export default defineProcessor({
  restart: { minDelayMs: 10, maxDelayMs: 50 },
  async produce(ctx) {
    for (let n = 0; !ctx.signal.aborted; n++) {
      await ctx.publish({ epoch: ctx.epoch, n })
      await ctx.sleep(50)
    }
  },
  operations: {
    loop: { run: () => void setTimeout(endless, 10) },
    throwLater: {
      run: () =>
        void setTimeout(() => {
          throw new Error('nobody caught this')
        }, 10),
    },
    rejectLater: { run: () => void setTimeout(() => Promise.reject(new Error('nobody awaited this')), 10) },
    exit: { run: () => process.exit(0) },
  },
})
