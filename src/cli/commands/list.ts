import type { Command } from 'commander'
import type { Client } from '../../client.js'
import { STATUSES } from '../../contract.js'
import type { WorkerView } from '../../fleet/views.js'
import type { Cli } from '../cli.js'
import { withClient } from '../connect.js'
import { plural } from '../format.js'
import { collect, oneOf } from '../parse.js'
import { clean, note, result } from '../print.js'
import { problemsFirst } from '../workers.js'

interface Options {
  status?: string[]
  type?: string[]
  node?: string[]
}

export function registerList(program: Command, cli: Cli): Command {
  return program
    .command('list')
    .alias('ps')
    .description('list the workers, problems first')
    .option('--status <status>', 'only these, divided by commas', oneOf([...STATUSES, 'queued', 'stopped']))
    .option('--type <type>', 'only this type; may be given several times', collect)
    .option('--node <node>', 'only on this node; may be given several times', collect)
    .action((options: Options) => list(cli, options))
}

async function list(cli: Cli, options: Options): Promise<void> {
  const { table } = await import('../table.js')
  const { workerColumns } = await import('../workers.js')
  await withClient(cli, async (client, { settings, source }) => {
    const all = await client.list()
    const shown = all.filter((worker) => matches(worker, options)).sort(problemsFirst)
    note(cli, `Redis ${clean(client.redisShown)} (${source}), namespace ${settings.namespace}`)
    result(cli, shown, () => (shown.length ? table(cli, workerColumns(cli), shown) : ''))
    if (all.length && !shown.length) note(cli, `None of ${plural(all.length, 'worker')} fits.`)
    if (!cli.json) await tellWhatIsMissing(cli, client, all)
  })
}

function matches(worker: WorkerView, { status, type, node }: Options): boolean {
  const fits = (wanted: string[] | undefined, is: string) => !wanted || wanted.includes(is)
  return fits(status, worker.status) && fits(type, worker.type) && fits(node, worker.node)
}

async function tellWhatIsMissing(cli: Cli, client: Client, all: WorkerView[]): Promise<void> {
  const nodes = await client.nodes()
  for (const problem of new Set(nodes.flatMap(({ problems }) => problems))) note(cli, `problem: ${clean(problem)}`)
  if (!nodes.length) note(cli, 'No node is up. `hysas up` starts one.')
  else if (!all.length)
    note(cli, `${plural(nodes.length, 'node')} up, no workers. \`hysas start <type> <nickname>\` starts one.`)
}
