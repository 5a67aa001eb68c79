import type { Command } from 'commander'
import { checkType } from '../../redis/names.js'
import type { Cli } from '../cli.js'
import { commandOptions, withClient } from '../connect.js'
import { forEach } from '../many.js'
import { outcomeLine } from '../outcome.js'
import { seconds } from '../parse.js'
import { misuse, note } from '../print.js'
import { waiting } from '../waiting.js'

interface Options {
  type?: string
  wait: boolean
  timeout?: number
}

export function registerRestart(program: Command, cli: Cli): Command {
  return program
    .command('restart')
    .argument('[nickname...]', 'workers')
    .description('give workers a new run, on the newest version of their processor, with the same parameters')
    .option('--type <type>', 'all wanted workers of this type')
    .option('--no-wait', 'only queue the command; it stays good for an hour')
    .option('--timeout <seconds>', 'how long to wait for it to be up (default: 10)', seconds)
    .action((nicknames: string[], options: Options) => restart(cli, nicknames, options))
}

async function restart(cli: Cli, given: string[], options: Options): Promise<void> {
  if (!given.length === !options.type) misuse('restart takes either nicknames or --type')
  const type = options.type === undefined ? undefined : checkType(options.type)
  await withClient(cli, async (client) => {
    const ofType = type ? (await client.list()).filter((worker) => worker.wanted && worker.type === type) : []
    const nicknames = type ? ofType.map((worker) => worker.nickname) : given
    if (!nicknames.length) note(cli, `No worker of type ${type} is wanted.`)
    const command = commandOptions(cli, options)
    const work = forEach(cli, nicknames, (nickname) => client.restart(nickname, command), outcomeLine)
    await waiting(cli, `restarting ${nicknames.join(' ')}`, work)
  })
}
