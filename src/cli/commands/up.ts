import type { Command } from 'commander'
import type { Cli } from '../cli.js'
import { settingsOf } from '../connect.js'
import { collect } from '../parse.js'
import { note, result } from '../print.js'
import { outliveStreams } from '../streams.js'

export function registerUp(program: Command, cli: Cli): Command {
  return program
    .command('up')
    .description('start a node here; it brings its own Redis where none is configured')
    .option('--port <number>', 'port of the page (default: 3200, or the next free one)')
    .option('--host <address>', 'address of the page (default: 127.0.0.1; any other needs HYSAS_TOKEN)')
    .option('--no-web', 'without page and API')
    .option(
      '--processors <folder>',
      'folder of processors (default: ./processors); may be given several times',
      collect,
    )
    .option('--name <name>', "name of the node (default: the host's)")
    .option('--capacity <number>', 'most workers to host')
    .action((options: Record<string, unknown>) => up(cli, options))
}

async function up(cli: Cli, { json: _, ...flags }: Record<string, unknown>): Promise<void> {
  const settings = await settingsOf(cli, flags)
  const end = cli.interrupted()
  outliveStreams()
  const [{ bringUp }, { upText }] = await Promise.all([import('../node-up.js'), import('../up-text.js')])
  const node = await bringUp(cli, settings, end)
  const { ended, ...facts } = node
  result(cli, facts, (paint) => upText(node, paint, cli.env))
  end.addEventListener('abort', () => note(cli, 'ending; once more ends it at once'), { once: true })
  await ended
  note(cli, `The node ${node.name} has ended.`)
}
