import { defineProcessor } from 'hysas'

/** Says when it begins to end, over a connection that is open by then. */
export default defineProcessor({
  async start(ctx) {
    await ctx.redis.ping()
  },
  async beforeTermination(ctx) {
    await ctx.redis.publish(`${ctx.namespace}:farewell`, ctx.nickname)
  },
})
