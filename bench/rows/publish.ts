import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { startFleet } from '../lib/fleet.js'
import { startProgram } from '../lib/program.js'
import { inTurn } from '../lib/rounds.js'
import { atLeast, type Row } from '../lib/types.js'

const BYTES = 137

export default {
  number: 8,
  name: 'publish',
  what: 'publish, one worker, as fast as it can, no subscriber',
  needs: ['redis-benchmark'],
  async measure(bench) {
    const fleet = await startFleet(bench, { processors: ['Speaker'] })
    const { client, redisUrl } = fleet
    await client.start('Speaker', 'speaker')
    const speaker = startProgram(bench, 'bare-speaker', { kind: 'ioredis', url: redisUrl })
    await speaker.next()
    const { port } = new URL(redisUrl)
    const count = bench.quick ? 200_000 : 1_000_000
    const rounds = await inTurn(
      bench,
      bench.quick ? 2 : 5,
      {
        ioredis: async () => {
          const messages = count / 5
          speaker.send({ count: messages, channel: 'bench.none' })
          return (messages / (await speaker.next<number>())) * 1000
        },
        'redis-benchmark': async () => {
          const args = [
            '-p',
            port,
            '-n',
            String(count),
            '-P',
            '100',
            '--csv',
            'PUBLISH',
            'bench.none',
            'x'.repeat(BYTES),
          ]
          const { stdout } = await promisify(execFile)('redis-benchmark', args)
          // "test","rps","avg_latency_ms",...
          return Number(stdout.trim().split('\n').at(-1)?.split('","')[1])
        },
        ours: async () => {
          const order = { count, channel: 'bench.none' }
          return (count / Number(await client.send('speaker', 'flood', order, { timeoutMs: 60_000 }))) * 1000
        },
      },
      { warmUp: 1 },
    )
    return [
      {
        what: this.what,
        yardstick: { name: 'ioredis, auto-pipelined', value: rounds.ioredis.median, unit: '/s' },
        ours: { name: 'ours', value: rounds.ours.median, unit: '/s' },
        bar: atLeast(4),
        target: {
          ...atLeast(1),
          against: { name: 'redis-benchmark -P 100', value: rounds['redis-benchmark'].median, unit: '/s' },
        },
        note: 'each message serialised by both; redis-benchmark sends one ready-made text of as many bytes',
      },
    ]
  },
} satisfies Row
