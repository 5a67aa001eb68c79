import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../lib/bench.js'
import { callsPerSecond } from '../lib/calls.js'
import { hearFleet, startFleet } from '../lib/fleet.js'
import { mustShare, nicknames, startMany } from '../lib/many.js'
import { familyOf } from '../lib/proc.js'
import { atMost, type Line, type Row } from '../lib/types.js'

const MANY = 100

/** Calls a second of a fleet with no worker, with one, and with a hundred. */
async function slope(bench: Bench, type: 'Idle' | 'IdleShared', bar: number): Promise<Line> {
  const isolation = type === 'Idle' ? 'process' : 'shared'
  const fleet = await startFleet(bench, { processors: [type] })
  const heard = await hearFleet(bench, fleet)
  if (type === 'IdleShared') await mustShare(bench, fleet, familyOf)
  const seconds = bench.quick ? 4 : 8
  const sample = async (what: string) => {
    bench.progress(`${isolation}: ${what}`)
    await sleep(2000)
    return callsPerSecond(bench, fleet.redisUrl, seconds)
  }
  const none = await sample('no worker')
  await startMany(fleet, heard, type, nicknames(1, 'first'))
  const one = await sample('one worker')
  await startMany(fleet, heard, type, nicknames(MANY - 1))
  const many = await sample(`${MANY} workers`)
  await fleet.node.kill()
  return {
    what: `Redis calls a second for one more idle worker, \`${isolation}\``,
    ours: { name: 'ours', value: (many.all - one.all) / (MANY - 1), unit: 'calls/s' },
    bar: atMost(bar, 'ours'),
    beside: [
      { name: 'a node without workers', value: none.all, unit: 'calls/s' },
      { name: 'with the first worker of a type', value: one.all, unit: 'calls/s' },
      { name: `with ${MANY}`, value: many.all, unit: 'calls/s' },
    ],
    note: `calls of clients; grows by ${grown(one.byName, many.byName)}`,
  }
}

/** What there is more of with many workers, for one more. */
function grown(one: Record<string, number>, many: Record<string, number>): string {
  return Object.entries(many)
    .map(([name, count]) => ({ name, more: (count - (one[name] ?? 0)) / (MANY - 1) }))
    .filter(({ more }) => more >= 0.01)
    .sort((a, b) => b.more - a.more)
    .map(({ name, more }) => `${name} ${more.toFixed(2)}`)
    .join(', ')
}

export default {
  number: 13,
  name: 'redis-calls',
  what: 'Redis calls a second for one more idle worker',
  async measure(bench) {
    return [await slope(bench, 'Idle', 2.5), await slope(bench, 'IdleShared', 1.2)]
  },
} satisfies Row
