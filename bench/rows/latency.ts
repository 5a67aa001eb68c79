import { median } from '../lib/rounds.js'
import { complete, type Heard, type Pair, programs, workers } from '../lib/talk.js'
import { atMost, type Row } from '../lib/types.js'

const PER_SECOND = 10_000

export default {
  number: 10,
  name: 'latency',
  what: 'one-way latency at 10,000 messages a second, worker to worker',
  async measure(bench) {
    const { raw: ours, fleet } = await workers(bench)
    const theirs = await programs(bench, 'ioredis', fleet.redisUrl)
    const found = { ours: [] as Heard[], theirs: [] as Heard[] }
    const count = PER_SECOND * (bench.quick ? 2 : 4)
    const once = async (pair: Pair) => {
      const heard = await pair.talk({ count, perSecond: PER_SECOND })
      complete(heard, count)
      return heard
    }
    await once(theirs)
    await once(ours)
    for (let round = 1; round <= (bench.quick ? 2 : 7); round++) {
      bench.progress(`round ${round}`)
      found.theirs.push(await once(theirs))
      found.ours.push(await once(ours))
    }
    return (['p50', 'p99'] as const).map((share) => ({
      what: `${this.what}, ${share}`,
      yardstick: { name: 'plain ioredis', value: median(found.theirs.map((one) => one[share])), unit: 'ms' },
      ours: { name: 'ours', value: median(found.ours.map((one) => one[share])), unit: 'ms' },
      bar: atMost(2),
    }))
  },
} satisfies Row
