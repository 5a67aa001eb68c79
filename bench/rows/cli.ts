import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { CLI, startFleet } from '../lib/fleet.js'
import { inTurn, timed } from '../lib/rounds.js'
import { atMost, type Row } from '../lib/types.js'

const execute = promisify(execFile)

export default {
  number: 16,
  name: 'cli',
  what: 'the CLI as a whole process',
  async measure(bench) {
    const fleet = await startFleet(bench, { processors: ['IdleShared'] })
    const options = { cwd: fleet.folder, env: fleet.env }
    const node = (...args: string[]) => timed(() => execute(process.execPath, args, options))
    let made = 0
    const times = await inTurn(
      bench,
      bench.quick ? 5 : 15,
      {
        'node -e 0': () => node('-e', '0'),
        '--version': () => node(CLI, '--version'),
        list: () => node(CLI, 'list'),
        start: () => node(CLI, 'start', 'IdleShared', `w${++made}`),
      },
      { warmUp: 2 },
    )
    const floor = { name: 'node -e 0', value: times['node -e 0'].median, unit: 'ms' }
    const line = (command: '--version' | 'list' | 'start', what: string, bar: number) => ({
      what,
      yardstick: floor,
      ours: { name: 'ours', value: times[command].median, unit: 'ms' },
      bar: atMost(bar),
    })
    return [
      line('--version', '`hysas --version` as a whole process', 1.5),
      line('list', '`hysas list` as a whole process', 3),
      line('start', '`hysas start` of a `shared` worker as a whole process', 3.5),
    ]
  },
} satisfies Row
