import { hearFleet, startFleet } from '../lib/fleet.js'
import { mustShare, nicknames, startMany, stopMany } from '../lib/many.js'
import { familyOf } from '../lib/proc.js'
import { inTurn } from '../lib/rounds.js'
import { killAll, startStock } from '../lib/stock.js'
import { atMost, type Row } from '../lib/types.js'

export default {
  number: 4,
  name: 'start-100-shared',
  what: '100 starts at once, `shared`, all of them',
  async measure(bench) {
    const fleet = await startFleet(bench, { processors: ['IdleShared'] })
    const stock = await startStock(bench, fleet.redisUrl, 200)
    const heard = await hearFleet(bench, fleet)
    await mustShare(bench, fleet, familyOf)
    const count = bench.quick ? 20 : 100
    bench.progress('BullMQ sandbox')
    const { ms, pids } = await stock.start(count)
    await stock.program.end()
    killAll(pids)
    let made = 0
    const { ours } = await inTurn(
      bench,
      bench.quick ? 2 : 5,
      {
        ours: async () => {
          const names = nicknames(100, `r${++made}-`)
          const took = await startMany(fleet, heard, 'IdleShared', names)
          await stopMany(fleet, names)
          return took
        },
      },
      { warmUp: 1 },
    )
    return [
      {
        what: this.what,
        yardstick: { name: 'BullMQ sandbox', value: (ms * 100) / count, unit: 'ms' },
        ours: { name: 'ours', value: ours.median, unit: 'ms' },
        bar: atMost(0.02),
        target: atMost(100, 'ours'),
        note: bench.quick ? `the sandbox's figure is extrapolated from ${count}` : 'the sandbox was measured once',
      },
    ]
  },
} satisfies Row
