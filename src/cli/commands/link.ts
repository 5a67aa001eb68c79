import type { Command } from 'commander'
import type { Cli } from '../cli.js'
import { withClient } from '../connect.js'
import { clean, note, result } from '../print.js'

export function registerLink(program: Command, cli: Cli): Command {
  return program
    .command('link')
    .description("print the page's link again")
    .action(() => link(cli))
}

async function link(cli: Cli): Promise<void> {
  const { pageLink, readToken, tunnelLine } = await import('../page-link.js')
  await withClient(cli, async (client, { settings }) => {
    const nodes = (await client.nodes()).filter((node) => node.url)
    const token = settings.token ?? readToken(settings.dataDir, cli.cwd)
    const links = nodes.map((node) => ({ node: node.name, host: node.host, url: pageLink(node.url, token) }))
    result(cli, links, () => links.map(({ url }) => clean(url)).join('\n'))
    if (!links.length) note(cli, 'No node with a page is up. `hysas up` starts one.')
    else if (!token) note(cli, 'The token is kept where the node was started, not here: run `hysas link` there.')
    const tunnel = links[0] && tunnelLine(links[0].url, cli.env)
    if (tunnel) note(cli, `From your own machine: ${tunnel}`)
  })
}
