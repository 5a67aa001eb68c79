import { inProgram } from '../lib/in-program.js'
import { openPubsub } from '../lib/pubsub.js'

const ACK_EVERY = 1000
let expect: (messages: number) => void = () => {}

/** Parses and acknowledges what comes; tells what came when all is there. */
await inProgram<{ kind: 'ioredis' | 'nats'; url: string; channel: string }>(
  async ({ kind, url, channel }, tell) => {
    const { publish, subscribe } = await openPubsub(kind, url)
    let wanted = 0
    let count = 0
    let sum = 0
    let delays: number[] = []
    expect = (messages) => {
      wanted = messages
      count = sum = 0
      delays = []
      tell('ready')
    }
    await subscribe(channel, (text) => {
      const { i, ts } = JSON.parse(text) as { i: number; ts: number }
      sum += i
      count++
      if (count % ACK_EVERY === 0) publish('bench.acks', String(count))
      if (delays.length < 200_000) delays.push(performance.timeOrigin + performance.now() - ts)
      if (count < wanted) return
      delays.sort((a, b) => a - b)
      const at = (share: number) => delays[Math.floor((delays.length - 1) * share)]
      tell({ count, sum, p50: at(0.5), p99: at(0.99) })
    })
    tell('ready')
  },
  (messages) => expect(messages as number),
)
