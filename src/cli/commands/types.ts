import type { Command } from 'commander'
import type { TypeView } from '../../fleet/views.js'
import type { Cli } from '../cli.js'
import { withClient } from '../connect.js'
import { clean, note, type Paint, painter, result } from '../print.js'
import type { Column } from '../table.js'

export function registerTypes(program: Command, cli: Cli): Command {
  return program
    .command('types')
    .description('list the processors that the nodes have')
    .action(() => types(cli))
}

async function types(cli: Cli): Promise<void> {
  const { table } = await import('../table.js')
  await withClient(cli, async (client) => {
    const found = await client.types()
    result(cli, found, (paint) =>
      found.length ? [table(cli, columns(cli), found), ...broken(found, paint)].join('\n') : '',
    )
    if (!found.length) note(cli, `No node is up on ${client.redisShown}. \`hysas up\` starts one.`)
  })
}

function columns(cli: Cli): Column<TypeView>[] {
  const paint = painter(cli.stdout, cli.env)
  return [
    {
      head: 'TYPE',
      cell: (type) => type.type,
      paint: (text, type) => (type.error ? paint.red(text) : paint.bold(text)),
    },
    { head: 'KIND', cell: (type) => type.kind },
    { head: 'ISOLATION', cell: (type) => type.isolation },
    { head: 'VERSION', cell: versions },
    { head: 'WORKERS', cell: (type) => type.workers, right: true },
    { head: 'NODES', cell: (type) => type.nodes.length, right: true },
    { head: 'FROM', cell: (type) => (type.builtin ? 'built in' : 'own') },
    { head: 'DESCRIPTION', cell: (type) => type.description },
  ]
}

/** All versions in force, where the nodes do not agree. */
function versions(type: TypeView): string {
  const all = new Set(type.nodes.map((on) => on.version).filter(Boolean))
  return [...(all.size ? all : [type.version])].map((version) => version.slice(0, 8)).join(' ')
}

function broken(found: TypeView[], paint: Paint): string[] {
  return found.flatMap((type) =>
    type.nodes
      .filter((on) => on.error)
      .map(
        (on) =>
          `\n${paint.red(`${clean(type.type)} is broken`)} on ${clean(on.node)}: ${clean(on.error)}\n  ${clean(on.file)}`,
      ),
  )
}
