import type { Command } from 'commander'
import { checkType } from '../../redis/names.js'
import type { Cli } from '../cli.js'
import { commandOptions, withClient } from '../connect.js'
import { forEach } from '../many.js'
import { outcomeLine } from '../outcome.js'
import { collect, seconds } from '../parse.js'
import { misuse, note } from '../print.js'
import { waiting } from '../waiting.js'

interface Options {
  config?: string
  set?: string[]
  type?: string
  wait: boolean
  timeout?: number
}

export function registerRestart(program: Command, cli: Cli): Command {
  return program
    .command('restart')
    .argument('[nickname...]', 'workers')
    .description('give workers a new run, on the newest version of their processor, with the parameters that they have')
    .option('--config <file>', 'JSON file of parameters, in the place of those that they have')
    .option('--set <key=value>', 'one parameter, on top; JSON or text; dots nest; may be given several times', collect)
    .option('--type <type>', 'all wanted workers of this type')
    .option('--no-wait', 'only queue the command; it stays good for an hour')
    .option('--timeout <seconds>', 'how long to wait for it to be up (default: 10)', seconds)
    .action((nicknames: string[], options: Options) => restart(cli, nicknames, options))
}

async function restart(cli: Cli, given: string[], options: Options): Promise<void> {
  if (!given.length === !options.type) misuse('restart takes either nicknames or --type')
  const { readChange } = await import('../params.js')
  const change = await readChange(cli.cwd, options)
  const type = options.type === undefined ? undefined : checkType(options.type)
  await withClient(cli, async (client) => {
    const ofType = type ? (await client.list()).filter((worker) => worker.wanted && worker.type === type) : []
    const nicknames = type ? ofType.map((worker) => worker.nickname) : given
    if (!nicknames.length) note(cli, `No worker of type ${type} is wanted.`)
    const command = commandOptions(cli, options)
    const restartOne = async (nickname: string) => {
      const params = change?.((await client.show(nickname)).params)
      return client.restart(nickname, { ...command, ...(params && { params }) })
    }
    const work = forEach(cli, nicknames, restartOne, outcomeLine)
    await waiting(cli, `restarting ${nicknames.join(' ')}`, work)
  })
}
