import type { Command } from 'commander'
import type { Cli } from '../cli.js'
import { commandOptions, withClient } from '../connect.js'
import { outcomeLine } from '../outcome.js'
import { collect, seconds } from '../parse.js'
import { note, result } from '../print.js'
import { waiting } from '../waiting.js'

interface Options {
  config?: string
  set?: string[]
  wait: boolean
  timeout?: number
}

export function registerStart(program: Command, cli: Cli): Command {
  return program
    .command('start')
    .argument('<type>', 'processor, by its file name without ending')
    .argument('<nickname>', 'name of the worker, unique over the fleet; or the file of its parameters, ending in .json')
    .description('start a worker, and keep it running')
    .option('--config <file>', 'JSON file of parameters (default: config/<nickname>.json)')
    .option('--set <key=value>', 'one parameter, JSON or text; dots nest; may be given several times', collect)
    .option('--no-wait', 'only queue the command; it stays good for an hour')
    .option('--timeout <seconds>', 'how long to wait for it to be up (default: 10)', seconds)
    .action((type: string, nickname: string, options: Options) => start(cli, type, nickname, options))
}

async function start(cli: Cli, type: string, given: string, options: Options): Promise<void> {
  const { readParameters } = await import('../params.js')
  const { nickname, params, file } = await readParameters(cli.cwd, given, options)
  if (file) note(cli, `parameters from ${file}`)
  else if (!options.set?.length) note(cli, `no config/${nickname}.json here: ${nickname} starts with the defaults`)
  await withClient(cli, async (client) => {
    const command = client.start(type, nickname, params, commandOptions(cli, options))
    const outcome = await waiting(cli, `starting ${nickname}`, command)
    result(cli, outcome, (paint) => outcomeLine(outcome, paint))
    if (outcome.result === 'queued')
      note(cli, 'It starts as soon as a node takes it; the command stays good for an hour.')
  })
}
