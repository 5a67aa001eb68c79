import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from './bench.js'
import { hearFleet, startFleet } from './fleet.js'
import { inTurn } from './rounds.js'
import { startStock } from './stock.js'

/** A spare child is made up again within this, ms. */
const SETTLE_MS = 1000

/** One start at a time, of BullMQ's own sandbox and of a worker of `type` in turn: command sent to `started` heard, ms. */
export async function measureStarts(bench: Bench, type: string) {
  const fleet = await startFleet(bench, { processors: [type] })
  const stock = await startStock(bench, fleet.redisUrl, 100)
  const bare = await startStock(bench, fleet.redisUrl, 100, 'bare-processor')
  const heard = await hearFleet(bench, fleet)
  let made = 0
  const ours = async () => {
    const nickname = `w${++made}`
    const started = heard.started([nickname])
    const before = performance.now()
    await fleet.client.start(type, nickname, {}, { noWait: true })
    const at = (await started).get(nickname) ?? Number.NaN
    await sleep(SETTLE_MS)
    return at - before
  }
  return inTurn(
    bench,
    bench.quick ? 3 : 9,
    { 'BullMQ sandbox': async () => (await stock.start()).ms, bare: async () => (await bare.start()).ms, ours },
    { warmUp: 1 },
  )
}
