import type { NodeUp } from './node-up.js'
import { tunnelLine } from './page-link.js'
import { clean, type Paint } from './print.js'
import { packageVersion } from './version.js'

/** What a node that is up tells its user: where things are, and what to type next. */
export function upText(node: NodeUp, paint: Paint, env: NodeJS.ProcessEnv): string {
  const hysas = env.npm_config_user_agent ? 'npx hysas' : 'hysas' // started by npm or npx: not on PATH, then
  const embedded = node.redisShared ? 'of the node that runs here already' : 'brought along'
  const facts: [name: string, value: string][] = [
    ['Redis', `${clean(node.redis)} (${node.redisSource === 'embedded' ? embedded : clean(node.redisSource)})`],
    ['events', clean(node.database)],
    ['processors', node.types.map(clean).join(' ')],
    ...Object.entries(node.broken).map(([type, why]): [string, string] => [
      'broken',
      paint.red(`${clean(type)}: ${clean(why)}`),
    ]),
    ['page', node.page ? paint.cyan(clean(node.page)) : 'none'],
  ]
  const tunnel = node.page && tunnelLine(node.page, env)
  if (tunnel) facts.push(['', `from your own machine: ${tunnel}`])
  const next = [`${hysas} start Demo DemoName`, `${hysas} list`, `${hysas} logs DemoName -f`]
  return [
    `${paint.bold(paint.green('HySAS'))} ${packageVersion()}: the node ${paint.bold(clean(node.name))} is up. Ctrl-C ends it.`,
    ...facts.map(([name, value]) => `  ${paint.dim(name.padEnd(11))} ${value}`),
    `Next, in a second terminal:`,
    ...next.map((line) => `  ${paint.bold(line)}`),
  ].join('\n')
}
