import { setTimeout as sleep } from 'node:timers/promises'
import { LOCK_MS } from '../../src/redis/lock-scripts.js'
import { hearFleet, startFleet } from '../lib/fleet.js'
import { nicknames, startMany } from '../lib/many.js'
import { inTurn } from '../lib/rounds.js'
import { atMost, type Row } from '../lib/types.js'

export default {
  number: 11,
  name: 'node-killed',
  what: 'node `kill -9` to all its 20 workers running elsewhere',
  async measure(bench) {
    const fleet = await startFleet(bench, { processors: ['Idle'] })
    const heard = await hearFleet(bench, fleet)
    const names = nicknames(20)
    await startMany(fleet, heard, 'Idle', names)
    let holder = fleet.node
    let made = 1
    const { ours } = await inTurn(bench, bench.quick ? 1 : 3, {
      ours: async () => {
        const next = await fleet.addNode(`bench-${++made}`)
        await sleep(2000)
        const epochs = new Map([...heard.last].map(([nickname, { epoch }]) => [nickname, epoch]))
        const again = heard.started(names, { after: (nickname) => epochs.get(nickname) ?? 0 })
        const before = performance.now()
        await holder.kill()
        holder = next
        return Math.max(...(await again).values()) - before
      },
    })
    return [
      {
        what: this.what,
        yardstick: { name: 'lock and 1.5 s', value: LOCK_MS + 1500, unit: 'ms' },
        ours: { name: 'ours', value: ours.median, unit: 'ms' },
        bar: atMost(1),
        note: 'the time of the slowest of the 20',
      },
    ]
  },
} satisfies Row
