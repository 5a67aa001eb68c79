import { defineProcessor } from 'hysas'
import { z } from 'zod'

const ACK_EVERY = 1000
let count = 0
let sum = 0
let delays: number[] = []
let wanted = Number.POSITIVE_INFINITY
let done = () => {}

/** Receives and acknowledges, and tells how long messages were on their way. */
export default defineProcessor({
  subscribe: [{ channel: 'bench:raw' }, { channel: 'bench:frames' }],
  receive(ctx, { data }) {
    const { i, ts } = data as { i: number; ts: number }
    sum += i
    count++
    if (count % ACK_EVERY === 0) void ctx.publish(count, { channel: 'bench:acks' })
    if (delays.length < 200_000) delays.push(performance.timeOrigin + performance.now() - ts)
    if (count === wanted) done()
  },
  operations: {
    expect: {
      args: z.object({ messages: z.number().int() }),
      run(_ctx, { messages }) {
        count = sum = 0
        delays = []
        wanted = messages
      },
    },
    report: {
      async run() {
        if (count < wanted) {
          await Promise.race([
            new Promise<void>((resolve) => {
              done = resolve
            }),
            new Promise((resolve) => setTimeout(resolve, 60_000)),
          ])
        }
        delays.sort((a, b) => a - b)
        const at = (share: number) => delays[Math.floor((delays.length - 1) * share)]
        return { count, sum, p50: at(0.5), p99: at(0.99) }
      },
    },
  },
})
