import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../lib/bench.js'
import { hearFleet, startFleet } from '../lib/fleet.js'
import { mustShare, nicknames, startMany } from '../lib/many.js'
import { familyOf, pssMb } from '../lib/proc.js'
import { startStock } from '../lib/stock.js'
import { atMost, type Row } from '../lib/types.js'

/** What a start leaves for the collector is collected, or has come to rest, by then. */
const SETTLE_MS = 8000

/** Memory (PSS) of the whole family with `many` workers more than with one, each, MB. */
async function perWorker(bench: Bench, pid: number, many: number, start: (count: number) => Promise<unknown>) {
  await start(1)
  await sleep(bench.quick ? 1000 : SETTLE_MS)
  const before = pssMb(familyOf(pid))
  await start(many)
  await sleep(bench.quick ? 1000 : SETTLE_MS)
  return (pssMb(familyOf(pid)) - before) / many
}

async function ours(bench: Bench, type: 'Idle' | 'IdleShared', many: number): Promise<number> {
  const fleet = await startFleet(bench, { processors: [type], args: ['--capacity', '20000'] })
  const heard = await hearFleet(bench, fleet)
  if (type === 'IdleShared') await mustShare(bench, fleet, familyOf)
  bench.progress(`${many} workers, ${type === 'Idle' ? 'process' : 'shared'}`)
  let made = 0
  const mb = await perWorker(bench, fleet.node.pid, many, (count) =>
    startMany(fleet, heard, type, nicknames(count, `r${++made}-`)),
  )
  await fleet.node.kill()
  return mb
}

export default {
  number: 6,
  name: 'memory',
  what: 'memory of one worker beyond the first (PSS)',
  async measure(bench) {
    const { url } = await bench.redis()
    const sandbox = async (processor: 'stock-processor' | 'bare-processor') => {
      bench.progress(`10 workers, BullMQ sandbox, ${processor}`)
      const stock = await startStock(bench, url, 100, processor)
      const mb = await perWorker(bench, stock.program.pid, 10, stock.start)
      await stock.program.end()
      return mb
    }
    const bareMb = await sandbox('bare-processor')
    const stockMb = await sandbox('stock-processor')
    const yardstick = { name: 'BullMQ sandbox', value: stockMb, unit: 'MB' }
    const processMb = await ours(bench, 'Idle', 10)
    const sharedMb = await ours(bench, 'IdleShared', 1000)
    return [
      {
        what: `${this.what}, \`process\``,
        yardstick,
        ours: { name: 'ours', value: processMb, unit: 'MB' },
        bar: atMost(0.85),
        target: atMost(0.6),
        beside: [{ name: 'BullMQ sandbox of a file that imports nothing', value: bareMb, unit: 'MB' }],
        note: 'node and children together',
      },
      {
        what: `${this.what}, \`shared\``,
        yardstick,
        ours: { name: 'ours', value: sharedMb, unit: 'MB' },
        bar: atMost(0.1, 'ours'),
        note: 'node and children together, 1,000 workers',
      },
    ]
  },
} satisfies Row
