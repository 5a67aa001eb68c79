import { defineProcessor } from 'hysas'

let n = 0

export default defineProcessor({
  every: 200,
  async tick(ctx) {
    await ctx.publish({ epoch: ctx.epoch, n: n++ })
  },
})
