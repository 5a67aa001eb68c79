import type { Command } from 'commander'
import type { Cli } from '../cli.js'
import { commandOptions, withClient } from '../connect.js'
import { forEach } from '../many.js'
import { outcomeLine } from '../outcome.js'
import { seconds } from '../parse.js'
import { waiting } from '../waiting.js'

interface Options {
  wait: boolean
  timeout?: number
}

export function registerStop(program: Command, cli: Cli): Command {
  return program
    .command('stop')
    .argument('<nickname...>', 'workers')
    .description('stop workers for good')
    .option('--no-wait', 'only queue the command; it stays good for an hour')
    .option('--timeout <seconds>', 'how long to wait for the end (default: 10)', seconds)
    .action((nicknames: string[], options: Options) => stop(cli, nicknames, options))
}

async function stop(cli: Cli, nicknames: string[], options: Options): Promise<void> {
  await withClient(cli, async (client) => {
    const command = commandOptions(cli, options)
    const work = forEach(cli, nicknames, (nickname) => client.stop(nickname, command), outcomeLine)
    await waiting(cli, `stopping ${nicknames.join(' ')}`, work)
  })
}
