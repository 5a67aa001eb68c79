import { inProgram } from '../lib/in-program.js'
import { messageOf, openPubsub } from '../lib/pubsub.js'

interface Order {
  count: number
  channel: string
  /** Messages that may be unacknowledged. */
  window?: number
  perSecond?: number
}

let obey: (order: Order) => void = () => {}

/** Publishes as it is told, and tells how many ms it took until the server had the last message. */
await inProgram<{ kind: 'ioredis' | 'nats'; url: string }>(
  async ({ kind, url }, tell) => {
    const { publish, subscribe, flush } = await openPubsub(kind, url)
    let acknowledged = 0
    let wake = () => {}
    await subscribe('bench.acks', (text) => {
      acknowledged = Number(text)
      wake()
    })
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
    const room = async (sent: number, window: number) => {
      while (sent - acknowledged > window) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
    const send = (i: number, channel: string) => publish(channel, JSON.stringify(messageOf(i)))
    const steadily = async ({ count, channel, perSecond = 0 }: Order) => {
      const begun = performance.now()
      for (let sent = 0; sent < count; await new Promise((resolve) => setTimeout(resolve, 1))) {
        const due = Math.min(count, ((performance.now() - begun) * perSecond) / 1000)
        for (; sent < due; sent++) send(sent, channel)
      }
    }
    const asFastAsMayBe = async ({ count, channel, window }: Order) => {
      acknowledged = 0
      for (let i = 0; i < count; i++) {
        send(i, channel)
        if (i % 100 !== 99) continue
        if (window) await room(i + 1, window)
        // without acknowledgements: not more on the way than a client can hold
        else if (i % 2000 === 1999) await flush()
        if (i % 1000 === 999) await turn()
      }
      await flush()
    }
    obey = async (order) => {
      const begun = performance.now()
      await (order.perSecond ? steadily(order) : asFastAsMayBe(order))
      tell(performance.now() - begun)
    }
    tell('ready')
  },
  (order) => obey(order as Order),
)
