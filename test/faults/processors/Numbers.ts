import { defineProcessor } from 'hysas'

/** Says who it is, fast enough that a run which goes on beside a later one is caught. */
export default defineProcessor({
  graceSeconds: 2,
  async produce(ctx) {
    for (let n = 0; !ctx.signal.aborted; n++) {
      await ctx.publish({ epoch: ctx.epoch, n })
      await ctx.sleep(20)
    }
  },
  async beforeTermination(ctx, reason) {
    await ctx.publish({ nickname: ctx.nickname, reason }, { channel: `${ctx.namespace}.bye` })
  },
})
