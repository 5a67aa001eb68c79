import { setTimeout as sleep } from 'node:timers/promises'
import { hearFleet, startFleet } from '../lib/fleet.js'
import { mustShare, nicknames, startMany } from '../lib/many.js'
import { cpuSeconds, familyOf } from '../lib/proc.js'
import { atLeast, atMost, type Row } from '../lib/types.js'

export default {
  number: 7,
  name: 'idle-fleet',
  what: 'idle fleet: 10,000 `shared` workers beating once a second on one node',
  async measure(bench) {
    const count = 10_000
    const seconds = bench.quick ? 30 : 300
    const fleet = await startFleet(bench, { processors: ['IdleShared'], args: ['--capacity', '20000'] })
    await mustShare(bench, fleet, familyOf)
    const heard = await hearFleet(bench, fleet)
    bench.progress(`${count} starts`)
    const startMs = await startMany(fleet, heard, 'IdleShared', nicknames(count), 180_000)
    heard.close()
    const subscriber = bench.connect(fleet.redisUrl)
    let disappeared = 0
    subscriber.on('message', (_channel: string, raw: string) => {
      if ((JSON.parse(raw) as { kind?: string }).kind === 'disappeared') disappeared++
    })
    await subscriber.subscribe(fleet.names.eventsChannel)
    await sleep(5000)
    const family = familyOf(fleet.node.pid)
    const before = cpuSeconds(family)
    const begun = performance.now()
    for (let passed = 0; passed < seconds; passed += 5) {
      bench.progress(`${passed} of ${seconds} s, ${disappeared} disappeared`)
      await sleep(5000)
    }
    const cores = (cpuSeconds(family) - before) / ((performance.now() - begun) / 1000)
    const started = (await fleet.client.list()).filter(
      ({ type, status }) => type === 'IdleShared' && status === 'started',
    ).length
    return [
      {
        what: `${this.what}: \`started\` at the end`,
        ours: { name: 'ours', value: started, unit: 'workers' },
        bar: atLeast(count, 'ours'),
        note: `all of them had started after ${(startMs / 1000).toFixed(1)} s; watched for ${seconds} s`,
      },
      {
        what: 'the same: falsely `disappeared`',
        ours: { name: 'ours', value: disappeared, unit: 'workers' },
        bar: atMost(0, 'ours'),
      },
      {
        what: 'the same: processor time of node and children',
        ours: { name: 'ours', value: cores, unit: 'cores' },
        bar: atMost(0.5, 'ours'),
      },
    ]
  },
} satisfies Row
