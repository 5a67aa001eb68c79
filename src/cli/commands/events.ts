import type { Command } from 'commander'
import type { StoredEvent } from '../../store/types.js'
import type { Cli } from '../cli.js'
import { type EventOptions, queryOf } from '../event-query.js'
import { eventLine } from '../eventline.js'
import { collect, instant, severity, whole } from '../parse.js'
import { item, misuse, note, result } from '../print.js'

export function registerEvents(program: Command, cli: Cli): Command {
  return program
    .command('events')
    .description('read the event store: the history of workers, commands, alerts; oldest first')
    .option('--kind <kind>', 'only these (alert, started, crashed, ...), divided by commas', collect)
    .option('--source <source>', 'only about this address, host or person')
    .option('--nickname <nickname>', 'only of this worker')
    .option('--type <type>', 'only of workers of this type')
    .option('--severity <severity>', 'only these: info, warning, error, critical', severity)
    .option('--since <when>', 'from then on: 5m, 2h, or a date', instant)
    .option('--until <when>', 'up to then', instant)
    .option('--limit <number>', 'the last so many', whole(1, 10_000), 100)
    .option('--csv', 'print CSV')
    .option('-f, --follow', 'go on with events as they come, until Ctrl-C')
    .action((options: EventOptions) => events(cli, options))
}

async function events(cli: Cli, options: EventOptions): Promise<void> {
  if (options.csv && cli.json) misuse('events prints either --csv or --json')
  const [{ openHistory }, { csvOf }] = await Promise.all([import('../history.js'), import('../../web/csv.js')])
  const signal = options.follow ? cli.interrupted() : undefined
  const query = queryOf(options)
  const store = await openHistory(cli)
  try {
    const found = (await store.find({ ...query, limit: options.limit })).reverse()
    if (options.csv) cli.stdout.write(csvOf(found))
    else if (cli.json && !signal) result(cli, found, () => '')
    else show(cli, found)
    if (!found.length && !signal) note(cli, `No such event in ${store.where}.`)
    if (!signal) return
    const { follow } = await import('../follow.js')
    for await (const fresh of follow(store, query, found.at(-1)?.id ?? '0-0', signal)) {
      if (options.csv)
        cli.stdout.write(csvOf(fresh).replace(/^.*\r\n/, '')) // without the head line
      else show(cli, fresh)
    }
  } finally {
    await store.close()
  }
}

function show(cli: Cli, found: readonly StoredEvent[]): void {
  for (const event of found) item(cli, event, (paint) => eventLine(event, paint))
}
