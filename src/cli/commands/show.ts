import type { Command } from 'commander'
import type { Client } from '../../client.js'
import type { Settings } from '../../config/settings.js'
import { messageOf } from '../../errors.js'
import type { Cli } from '../cli.js'
import { withClient } from '../connect.js'
import { whole } from '../parse.js'
import { clean, note, result } from '../print.js'
import type { Run } from '../runs.js'

interface Options {
  runs: number
  lines: number
}

export function registerShow(program: Command, cli: Cli): Command {
  return program
    .command('show')
    .argument('<nickname>', 'worker, running or not')
    .description('tell all about one worker: its last runs, its last lines, and what comes next by itself')
    .option('--runs <number>', 'last runs', whole(0, 100), 5)
    .option('-n, --lines <number>', 'last lines of its log', whole(0, 1000), 10)
    .action((nickname: string, options: Options) => show(cli, nickname, options))
}

async function show(cli: Cli, nickname: string, options: Options): Promise<void> {
  const [{ whatNext }, { workerText }] = await Promise.all([import('../next.js'), import('../worker-text.js')])
  await withClient(cli, async (client, { settings }) => {
    const worker = await client.show(nickname)
    const [nodes, log, runs] = await Promise.all([
      client.nodes(),
      options.lines ? client.logs(nickname, { limit: options.lines }) : [],
      options.runs ? lastRuns(cli, client, settings, nickname, options.runs) : [],
    ])
    const next = whatNext(worker, nodes.length)
    result(cli, { ...worker, runs, log, next }, (paint) => workerText({ worker, runs, log, next }, paint))
  })
}

/** From the event store. One that is away must not hide the rest. */
async function lastRuns(cli: Cli, client: Client, settings: Settings, nickname: string, limit: number): Promise<Run[]> {
  const [{ openHistoryOf }, { ENDS, runsOf }] = await Promise.all([import('../history.js'), import('../runs.js')])
  try {
    const store = await openHistoryOf(client, settings)
    try {
      return runsOf(await store.find({ nickname, kind: ['started', ...ENDS], limit: limit * 4 })).slice(0, limit)
    } finally {
      await store.close()
    }
  } catch (error) {
    note(cli, `The last runs are not known: ${clean(messageOf(error))}`)
    return []
  }
}
