import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../lib/bench.js'
import { startFleet } from '../lib/fleet.js'
import { nicknames } from '../lib/many.js'
import { startProgram } from '../lib/program.js'
import { inTurn, median } from '../lib/rounds.js'
import { atLeast, type Row } from '../lib/types.js'

/** Workers of 20 ticks a second each: more than is asked of them together. */
const WORKERS = 600

/** Ticks a second of a node that has more to do than it can. It is ended afterwards: its ticks would slow the others. */
async function ticksPerSecond(bench: Bench): Promise<number> {
  const fleet = await startFleet(bench, { processors: ['Ticking'], args: ['--capacity', '20000'] })
  const { names, client } = fleet
  const workers = nicknames(bench.quick ? WORKERS / 4 : WORKERS)
  const redis = bench.connect(fleet.redisUrl)
  await Promise.all(workers.map((nickname) => client.start('Ticking', nickname, {}, { noWait: true })))
  const ticks = async () => {
    const counts = await Promise.all(workers.map((nickname) => redis.hget(names.info('Ticking', nickname), 'ticks')))
    return counts.reduce((sum, count) => sum + Number(count), 0)
  }
  bench.progress(`${workers.length} workers begin`)
  await sleep(bench.quick ? 5000 : 8000)
  const { ours } = await inTurn(bench, bench.quick ? 1 : 3, {
    ours: async () => {
      const [before, begun] = [await ticks(), performance.now()]
      await sleep(bench.quick ? 3000 : 5000)
      return ((await ticks()) - before) / ((performance.now() - begun) / 1000)
    },
  })
  await fleet.node.kill()
  return ours.median
}

export default {
  number: 15,
  name: 'ticks',
  what: 'repeatable processors: no-op ticks a second on one node, `shared`',
  async measure(bench) {
    const { url } = await bench.redis()
    const bare = async (round: number): Promise<number> => {
      bench.progress(`bare BullMQ, round ${round}`)
      const args = { url, queue: `bare-${round}`, count: 20_000, concurrency: 100 }
      const program = startProgram(bench, 'bare-jobs', args)
      const rate = await program.next<number>()
      await program.end()
      return rate
    }
    const before = [await bare(1), await bare(2)]
    const ours = await ticksPerSecond(bench)
    const theirs = median([...before, await bare(3), await bare(4)])
    return [
      {
        what: this.what,
        yardstick: { name: 'bare BullMQ, jobs in-process', value: theirs, unit: '/s' },
        ours: { name: 'ours', value: ours, unit: '/s' },
        bar: atLeast(0.25),
        note: `${bench.quick ? WORKERS / 4 : WORKERS} workers, each due 20 times a second; bare BullMQ before and after`,
      },
    ]
  },
} satisfies Row
