import { setTimeout as sleep } from 'node:timers/promises'
import { hearFleet, startFleet } from '../lib/fleet.js'
import { inTurn } from '../lib/rounds.js'
import { startStock } from '../lib/stock.js'
import { atMost, type Row } from '../lib/types.js'

export default {
  number: 12,
  name: 'worker-killed',
  what: 'worker `kill -9` to running again',
  async measure(bench) {
    const fleet = await startFleet(bench, { processors: ['Idle'] })
    const heard = await hearFleet(bench, fleet)
    const stock = await startStock(bench, fleet.redisUrl, 100)
    let made = 0
    const { 'BullMQ sandbox': theirs, ours } = await inTurn(
      bench,
      bench.quick ? 3 : 9,
      {
        'BullMQ sandbox': async () => {
          const { ids, pids } = await stock.start()
          await sleep(500)
          const again = stock.begins(ids)
          const before = performance.now()
          process.kill(pids[0] ?? 0, 'SIGKILL')
          return (await again).at - before
        },
        // each a worker of its own: the second crash of one waits on purpose
        ours: async () => {
          const nickname = `w${++made}`
          const { pid, epoch } = await fleet.client.start('Idle', nickname)
          await sleep(1000)
          const again = heard.started([nickname], { after: () => epoch ?? 0 })
          const before = performance.now()
          process.kill(pid ?? 0, 'SIGKILL')
          return ((await again).get(nickname) ?? Number.NaN) - before
        },
      },
      { warmUp: 1 },
    )
    return [
      {
        what: this.what,
        yardstick: { name: 'BullMQ sandbox', value: theirs.median, unit: 'ms' },
        ours: { name: 'ours', value: ours.median, unit: 'ms' },
        bar: atMost(0.3),
      },
    ]
  },
} satisfies Row
