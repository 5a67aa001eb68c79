import type { Command } from 'commander'
import type { NodeView } from '../../fleet/views.js'
import type { Cli } from '../cli.js'
import { withClient } from '../connect.js'
import { since } from '../format.js'
import { note, painter, result } from '../print.js'
import type { Column } from '../table.js'

export function registerNodes(program: Command, cli: Cli): Command {
  return program
    .command('nodes')
    .description('list the nodes that are up')
    .action(() => nodes(cli))
}

async function nodes(cli: Cli): Promise<void> {
  const { table } = await import('../table.js')
  await withClient(cli, async (client) => {
    const found = await client.nodes()
    result(cli, found, () => (found.length ? table(cli, columns(cli), found) : ''))
    if (!found.length) note(cli, `No node is up on ${client.redisShown}. \`hysas up\` starts one.`)
  })
}

function columns(cli: Cli): Column<NodeView>[] {
  const paint = painter(cli.stdout, cli.env)
  return [
    { head: 'NODE', cell: (node) => node.name, paint: (text) => paint.bold(text) },
    { head: 'HOST', cell: (node) => node.host },
    { head: 'PID', cell: (node) => node.pid, right: true },
    { head: 'WORKERS', cell: (node) => `${node.workers} of ${node.capacity}`, right: true },
    { head: 'TYPES', cell: (node) => node.types.length, right: true },
    { head: 'UP', cell: (node) => since(node.started_at), right: true },
    { head: 'MEMORY', cell: (node) => `${Math.round(node.memory_mb)} MB`, right: true },
    { head: 'LOOP', cell: (node) => `${Math.round(node.loop_delay_ms)} ms`, right: true },
    { head: 'VERSION', cell: (node) => node.version },
    { head: 'STATE', cell: state, paint: (text) => paint.yellow(text) },
    { head: 'PAGE', cell: (node) => node.url },
  ]
}

function state(node: NodeView): string {
  const broken = Object.keys(node.broken)
  const parts = [node.draining && 'ending', broken.length && `broken: ${broken.join(' ')}`, ...node.problems]
  return parts.filter(Boolean).join(', ')
}
