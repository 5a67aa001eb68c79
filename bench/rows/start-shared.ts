import { measureStarts } from '../lib/start.js'
import { atMost, type Row } from '../lib/types.js'

export default {
  number: 2,
  name: 'start-shared',
  what: 'one start, command sent to `started` heard, `shared`',
  async measure(bench) {
    const { 'BullMQ sandbox': stock, bare, ours } = await measureStarts(bench, 'IdleShared')
    return [
      {
        what: this.what,
        yardstick: { name: 'BullMQ sandbox', value: stock.median, unit: 'ms' },
        ours: { name: 'ours', value: ours.median, unit: 'ms' },
        beside: [{ name: 'BullMQ sandbox of a file that imports nothing', value: bare.median, unit: 'ms' }],
        bar: atMost(0.02),
      },
    ]
  },
} satisfies Row
