import type { Command } from 'commander'
import type { EventStore, StoredEvent } from '../../store/types.js'
import type { Cli } from '../cli.js'
import { type EventOptions, queryOf } from '../event-query.js'
import { eventLine } from '../eventline.js'
import { collect, instant, oneOf, SEVERITIES, whole } from '../parse.js'
import { item, jsonText, misuse, note, painter, result, safeJson } from '../print.js'

export function registerEvents(program: Command, cli: Cli): Command {
  return program
    .command('events')
    .description('read the event store: the history of workers, commands, alerts; oldest first')
    .option('--kind <kind>', 'only these (alert, started, crashed, ...), divided by commas', collect)
    .option('--source <source>', 'only about this address, host or person')
    .option('--nickname <nickname>', 'only of this worker')
    .option('--type <type>', 'only of workers of this type')
    .option('--severity <severity>', 'only these, divided by commas: info, warning, error, critical', oneOf(SEVERITIES))
    .option('--since <when>', 'from then on: 5m, 2h, or a date, in local time', instant)
    .option('--until <when>', 'up to then', instant)
    .option('--limit <number>', 'the last so many (default: 100)', whole(1, 10_000))
    .option('--all', 'all of them, however many')
    .option('--csv', 'print CSV')
    .option('-f, --follow', 'go on with events as they come, until Ctrl-C')
    .action((options: EventOptions) => events(cli, options))
}

async function events(cli: Cli, options: EventOptions): Promise<void> {
  if (options.csv && cli.json) misuse('events prints either --csv or --json')
  if (options.all && options.limit !== undefined) misuse('events prints either --all or the last --limit')
  if (options.follow && options.until !== undefined) misuse('--follow goes on for ever; --until is for what is past')
  const [{ openHistory }, { csvRows }] = await Promise.all([import('../history.js'), import('../../web/csv.js')])
  const signal = options.follow ? cli.interrupted() : undefined
  const query = queryOf(options)
  const store = await openHistory(cli)
  try {
    const last = options.all ? await showAll(cli, store, options) : await showLast(cli, store, options)
    if (!last && !signal) note(cli, `No such event in ${store.where}.`)
    if (!signal) return
    const { follow } = await import('../follow.js')
    for await (const fresh of follow(store, query, last ?? '0-0', signal)) {
      if (options.csv) cli.stdout.write(csvRows(fresh))
      else show(cli, fresh)
    }
  } finally {
    await store.close()
  }
}

/** Returns the id of the last one. */
async function showLast(cli: Cli, store: EventStore, options: EventOptions): Promise<string | undefined> {
  const found = (await store.find({ ...queryOf(options), limit: options.limit ?? 100 })).reverse()
  if (options.csv) {
    const { csvOf } = await import('../../web/csv.js')
    cli.stdout.write(csvOf(found))
  } else if (cli.json && !options.follow) result(cli, found, () => '')
  else show(cli, found)
  return found.at(-1)?.id
}

/** The same, a page at a time. */
async function showAll(cli: Cli, store: EventStore, options: EventOptions): Promise<string | undefined> {
  const { exportOf, FORMS } = await import('../../web/export.js')
  const paint = painter(cli.stdout, cli.env)
  const line = (event: StoredEvent) => `${cli.json ? jsonText(event) : eventLine(event, paint)}\n`
  const lines = { begin: '', rows: (events: readonly StoredEvent[]) => events.map(line).join(''), between: '', end: '' }
  const form = options.csv ? FORMS.csv : cli.json && !options.follow ? FORMS.json : lines
  let last: string | undefined
  const rows = (events: readonly StoredEvent[]) => {
    last = events.at(-1)?.id
    return form.rows(events)
  }
  for await (const piece of await exportOf(store, queryOf(options), { ...form, rows }, 'oldest first'))
    cli.stdout.write(safeJson(piece))
  return last
}

function show(cli: Cli, found: readonly StoredEvent[]): void {
  for (const event of found) item(cli, event, (paint) => eventLine(event, paint))
}
