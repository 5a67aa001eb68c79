import type { Command } from 'commander'
import { HysasError } from '../../errors.js'
import type { Cli } from '../cli.js'
import { commandOptions, withClient } from '../connect.js'
import { plural } from '../format.js'
import { seconds } from '../parse.js'
import { clean, misuse, note, result } from '../print.js'
import { waiting } from '../waiting.js'

interface Options {
  forget?: boolean
  yes?: boolean
  timeout?: number
}

export function registerShutdown(program: Command, cli: Cli): Command {
  return program
    .command('shutdown')
    .description('end all nodes gracefully; what was wanted comes back with the next node')
    .option('--forget', 'stop every worker for good first')
    .option('--yes', 'do not ask before forgetting')
    .option('--timeout <seconds>', 'how long to wait for the end', seconds)
    .action((options: Options) => shutdown(cli, options))
}

async function shutdown(cli: Cli, options: Options): Promise<void> {
  await withClient(cli, async (client) => {
    if (options.forget && !options.yes) {
      const wanted = (await client.list()).filter((worker) => worker.wanted && !worker.system)
      const answer = await cli.confirm(`Stop ${plural(wanted.length, 'worker')} for good and end all nodes?`)
      if (answer === undefined) misuse('shutdown --forget stops every worker for good: say --yes too')
      if (!answer) return note(cli, 'Nothing was done.')
    }
    const command = client.shutdown({ ...commandOptions(cli, options), forget: options.forget ?? false })
    const ended = await waiting(cli, 'waiting for all nodes to end', command)
    // Only a node can stop the workers for good; to say "done" would be untrue.
    if (options.forget && !ended.length) throw new HysasError('NO_NODE', { redis: client.redisShown })
    result(cli, ended, () =>
      ended.length ? `ended ${plural(ended.length, 'node')}: ${ended.map(clean).join(' ')}` : '',
    )
    if (!ended.length) note(cli, `No node is up on ${clean(client.redisShown)}.`)
  })
}
