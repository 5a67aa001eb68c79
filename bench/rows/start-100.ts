import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { hearFleet, startFleet } from '../lib/fleet.js'
import { nicknames, nodeStarts, startMany, stopMany } from '../lib/many.js'
import { inTurn } from '../lib/rounds.js'
import { atMost, type Row } from '../lib/types.js'

export default {
  number: 3,
  name: 'start-100',
  what: '100 starts at once, `process`, each',
  async measure(bench) {
    const fleet = await startFleet(bench, { processors: ['Idle'] })
    const heard = await hearFleet(bench, fleet)
    const count = bench.quick ? 30 : 100
    bench.progress('a first child, which keeps what was compiled for the others')
    await startMany(fleet, heard, 'Idle', ['first'])
    await sleep(3000)
    await stopMany(fleet, ['first'])
    let made = 0
    const { floor, ours } = await inTurn(bench, bench.quick ? 1 : 2, {
      floor: async () => (await nodeStarts(count, cpus().length)) / count,
      ours: async () => {
        const names = nicknames(count, `r${++made}-`)
        const ms = await startMany(fleet, heard, 'Idle', names)
        await stopMany(fleet, names)
        return ms / count
      },
    })
    return [
      {
        what: this.what,
        yardstick: { name: `\`node -e 0\`, ${cpus().length} at a time`, value: floor.median, unit: 'ms' },
        ours: { name: 'ours', value: ours.median, unit: 'ms' },
        bar: atMost(2.5),
        target: atMost(1.6),
      },
    ]
  },
} satisfies Row
