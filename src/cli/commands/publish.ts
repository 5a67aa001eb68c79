import type { Command } from 'commander'
import type { Cli } from '../cli.js'
import { withClient } from '../connect.js'
import { plural } from '../format.js'
import { clean, result } from '../print.js'

export function registerPublish(program: Command, cli: Cli): Command {
  return program
    .command('publish')
    .argument('<channel>', 'raw channel')
    .argument('<data>', 'text, published as it is')
    .description('publish one message to a channel')
    .action((channel: string, data: string) => publish(cli, channel, data))
}

async function publish(cli: Cli, channel: string, data: string): Promise<void> {
  await withClient(cli, async (client) => {
    const subscribers = await client.publish(channel, data)
    result(cli, { channel, subscribers }, () => `${plural(subscribers, 'subscriber')} of ${clean(channel)} got it`)
  })
}
