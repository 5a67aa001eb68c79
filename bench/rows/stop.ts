import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, Queue, QueueEvents } from 'bullmq'
import { startFleet } from '../lib/fleet.js'
import { startProgram } from '../lib/program.js'
import { inTurn, timed } from '../lib/rounds.js'
import { atMost, type Row } from '../lib/types.js'

export default {
  number: 5,
  name: 'stop',
  what: 'stop, command sent to `beforeTermination` begun',
  async measure(bench) {
    const fleet = await startFleet(bench, { processors: ['Farewell'] })
    await startProgram(bench, 'bare-worker', { url: fleet.redisUrl, queue: 'round-trip' }).next()
    const connection = () => bench.connect(fleet.redisUrl) as unknown as ConnectionOptions
    const queue = new Queue('round-trip', { connection: connection() })
    const events = new QueueEvents('round-trip', { connection: connection() })
    bench.release(() => Promise.all([queue.close(), events.close()]))
    await Promise.all([queue.waitUntilReady(), events.waitUntilReady()])

    const subscriber = bench.connect(fleet.redisUrl)
    let farewell: (nickname: string) => void = () => {}
    subscriber.on('message', (_channel: string, nickname: string) => farewell(nickname))
    await subscriber.subscribe(`${fleet.names.namespace}:farewell`)

    let made = 0
    const ours = async () => {
      const nickname = `w${++made}`
      await fleet.client.start('Farewell', nickname)
      await sleep(300)
      const begun = new Promise<number>((resolve) => {
        farewell = () => resolve(performance.now())
      })
      const before = performance.now()
      await fleet.client.stop(nickname, { noWait: true })
      const ms = (await begun) - before
      await sleep(500)
      return ms
    }
    const roundTrip = () => timed(async () => (await queue.add('nothing', {})).waitUntilFinished(events))
    const rounds = bench.quick ? 5 : 15
    const times = await inTurn(bench, rounds, { 'job round trip': roundTrip, ours }, { warmUp: 2 })
    return [
      {
        what: this.what,
        yardstick: {
          name: 'bare BullMQ job, added to heard as done',
          value: times['job round trip'].median,
          unit: 'ms',
        },
        ours: { name: 'ours', value: times.ours.median, unit: 'ms' },
        bar: atMost(2),
      },
    ]
  },
} satisfies Row
