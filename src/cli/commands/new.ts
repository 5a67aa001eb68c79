import { join } from 'node:path'
import type { Command } from 'commander'
import { checkType } from '../../redis/names.js'
import type { Cli } from '../cli.js'
import { settingsOf } from '../connect.js'
import { note, result } from '../print.js'

export function registerNew(program: Command, cli: Cli): Command {
  return program
    .command('new')
    .argument('<type>', 'its name: a capital, then letters and digits')
    .description('write a starter processor with its test')
    .option('--repeatable', 'one that does something every few seconds')
    .action((type: string, options: { repeatable?: boolean }) => create(cli, type, options.repeatable ?? false))
}

async function create(cli: Cli, given: string, isRepeatable: boolean): Promise<void> {
  const type = checkType(given)
  const { starter, writeNew } = await import('../scaffold.js')
  const folder = (await settingsOf(cli)).processors[0] ?? join(cli.cwd, 'processors')
  const files = await starter(folder, type, isRepeatable ? 'repeatable' : 'longRunning')
  const written = await writeNew(cli.cwd, files)
  result(cli, { type, written }, () => written.map((path) => `wrote  ${path}`).join('\n'))
  const nickname = type.toLowerCase()
  note(
    cli,
    (paint) => `\nNext:\n  ${paint.bold(`npx hysas start ${type} ${nickname}`)}\n  ${paint.bold('npx hysas test')}`,
  )
}
