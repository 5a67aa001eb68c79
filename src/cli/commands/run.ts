import type { Command } from 'commander'
import { checkType } from '../../redis/names.js'
import type { Cli } from '../cli.js'
import { settingsOf } from '../connect.js'
import { collect } from '../parse.js'

interface Options {
  input?: string
  nickname?: string
  config?: string
  set?: string[]
  redis?: boolean
  inspect?: boolean
}

export function registerRun(program: Command, cli: Cli): Command {
  return program
    .command('run')
    .argument('<type>', 'processor, by its file name without ending')
    .description('run one processor in the foreground, without a fleet, for development; prints what it publishes')
    .option('--input <file>', 'feed it the lines of a file as messages (- is standard input), then end')
    .option('--nickname <nickname>', 'its name (default: the type in lower case)')
    .option('--config <file>', 'JSON file of parameters (default: config/<nickname>.json)')
    .option('--set <key=value>', 'one parameter, JSON or text; dots nest; may be given several times', collect)
    .option('--redis', 'give it the Redis of the fleet as ctx.redis; without this it has none')
    .option('--inspect', 'wait for a debugger before it begins')
    .action((type: string, options: Options) => run(cli, type, options))
}

async function run(cli: Cli, given: string, options: Options): Promise<void> {
  const type = checkType(given)
  const [{ runInForeground }, { readParameters }] = await Promise.all([
    import('../foreground.js'),
    import('../params.js'),
  ])
  const settings = await settingsOf(cli)
  const { nickname, params } = await readParameters(cli.cwd, options.nickname ?? type.toLowerCase(), options)
  const { input, redis = false, inspect = false } = options
  await runInForeground(cli, {
    ...{ type, nickname, params, settings, redis, inspect },
    ...(input !== undefined && { input }),
  })
}
