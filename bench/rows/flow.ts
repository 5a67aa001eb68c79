import type { Bench } from '../lib/bench.js'
import { startNats } from '../lib/nats.js'
import { inTurn } from '../lib/rounds.js'
import { complete, type Pair, programs, workers } from '../lib/talk.js'
import { atLeast, type Row } from '../lib/types.js'

/** Messages that may be on their way: far below what Redis would keep for a subscriber. */
const WINDOW = 20_000

/** Messages a second, all of them heard. */
async function rate(bench: Bench, pair: Pair, share = 1): Promise<number> {
  const count = (bench.quick ? 200_000 : 1_000_000) * share
  const heard = await pair.talk({ count, window: WINDOW })
  complete(heard, count)
  return (count / heard.ms) * 1000
}

export default {
  number: 9,
  name: 'flow',
  what: 'worker to worker, every message delivered and parsed',
  needs: ['nats'],
  async measure(bench) {
    const { raw, frames, fleet } = await workers(bench)
    const ioredis = await programs(bench, 'ioredis', fleet.redisUrl)
    const nats = await programs(bench, 'nats', (await startNats(bench)).url)
    const rounds = await inTurn(
      bench,
      bench.quick ? 2 : 5,
      {
        ioredis: () => rate(bench, ioredis, 0.4),
        raw: () => rate(bench, raw),
        nats: () => rate(bench, nats),
        frames: () => rate(bench, frames),
      },
      { warmUp: 1 },
    )
    const note = `nothing lost on either side; acknowledged every 1,000, at most ${WINDOW.toLocaleString('en-US')} on their way`
    return [
      {
        what: `${this.what}: raw`,
        yardstick: { name: 'plain ioredis', value: rounds.ioredis.median, unit: '/s' },
        ours: { name: 'ours', value: rounds.raw.median, unit: '/s' },
        bar: atLeast(1.8),
        note,
      },
      {
        what: `${this.what}: frames`,
        yardstick: { name: 'NATS with its own JS client', value: rounds.nats.median, unit: '/s' },
        ours: { name: 'ours', value: rounds.frames.median, unit: '/s' },
        bar: atLeast(1),
        note,
      },
    ]
  },
} satisfies Row
