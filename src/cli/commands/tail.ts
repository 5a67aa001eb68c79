import type { Command } from 'commander'
import { NICKNAME } from '../../redis/names.js'
import type { Cli } from '../cli.js'
import { withClient } from '../connect.js'
import { whole } from '../parse.js'
import { clean, item, missing, note } from '../print.js'
import { whileRedisAnswers } from '../reach.js'

export function registerTail(program: Command, cli: Cli): Command {
  return program
    .command('tail')
    .argument('<channel-or-nickname>', 'raw channel, or a worker whose messages to show')
    .description('print messages as they come, until Ctrl-C')
    .option('-n, --count <number>', 'end after so many messages', whole(1, 1e9))
    .action((what: string, options: { count?: number }) => tail(cli, what, options.count))
}

async function tail(cli: Cli, what: string, count = Number.POSITIVE_INFINITY): Promise<void> {
  const asked = cli.interrupted()
  await withClient(cli, async (client, where) => {
    const isWorker = await client.show(what).then(
      () => true,
      () => false,
    )
    note(cli, `messages of ${isWorker ? 'the worker' : 'the raw channel'} ${clean(what)} (Ctrl-C ends)`)
    if (!isWorker && NICKNAME.test(what)) note(cli, `there is no worker ${what}; \`hysas list\` shows all`)
    let seen = 0
    const dropped = (messages: number | null) =>
      missing(cli, messages, 'message', messages === null ? 'the connection was lost' : 'they came too fast')
    await whileRedisAnswers(cli, where, asked, async (signal) => {
      for await (const message of client.tail(what, { signal, dropped })) {
        item(cli, message, () => clean(message.raw))
        if (++seen >= count) break
      }
    })
  })
}
