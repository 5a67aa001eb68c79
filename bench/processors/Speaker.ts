import { type Context, defineProcessor } from 'hysas'
import { z } from 'zod'

const message = (i: number) => ({
  i,
  src: '203.0.113.7',
  dst: '198.51.100.23',
  ts: performance.timeOrigin + performance.now(),
  note: 'accepted a connection from outside',
})
const args = z.object({ count: z.number().int(), channel: z.string() })

/** Publishes as it is told: as fast as it can, as fast as it is acknowledged, or so many a second. */
export default defineProcessor({
  publishing: { channels: { 'bench:frames': { frames: true } } },
  start() {},
  operations: {
    flood: { args, run: (ctx, { count, channel }) => publish(ctx, { count, channel, mayGoOn: ctx.drained }) },
    paced: {
      args: args.extend({ window: z.number().int() }),
      async run(ctx, { count, channel, window }) {
        let acknowledged = 0
        let wake = () => {}
        const subscription = await ctx.subscribe({ channel: 'bench:acks' }, ({ data }) => {
          acknowledged = Number(data)
          wake()
        })
        const mayGoOn = async (sent: number) => {
          await ctx.drained()
          while (sent - acknowledged > window) {
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          }
        }
        const ms = await publish(ctx, { count, channel, mayGoOn })
        await subscription.unsubscribe()
        return ms
      },
    },
    steady: {
      args: args.extend({ perSecond: z.number() }),
      async run(ctx, { count, channel, perSecond }) {
        const begun = performance.now()
        for (let sent = 0; sent < count; await new Promise((resolve) => setTimeout(resolve, 1))) {
          const due = Math.min(count, ((performance.now() - begun) * perSecond) / 1000)
          for (; sent < due; sent++) void ctx.publish(message(sent), { channel })
        }
      },
    },
  },
})

/** Publishes without awaiting each message. @returns ms until Redis had the last */
async function publish(
  ctx: Context,
  { count, channel, mayGoOn }: { count: number; channel: string; mayGoOn(sent: number): Promise<void> },
): Promise<number> {
  const begun = performance.now()
  let last: Promise<number> | undefined
  for (let i = 0; i < count; i++) {
    last = ctx.publish(message(i), { channel })
    if (i % 100 === 99) await mayGoOn(i + 1)
  }
  await last
  return performance.now() - begun
}
