import type { Command } from 'commander'
import type { Cli } from '../cli.js'
import { withClient } from '../connect.js'
import { logLine } from '../logline.js'
import { instant, level, whole } from '../parse.js'
import { item, missing, note } from '../print.js'
import { whileRedisAnswers } from '../reach.js'

interface Options {
  follow?: boolean
  level?: string
  since?: number
  lines: number
}

export function registerLogs(program: Command, cli: Cli): Command {
  return program
    .command('logs')
    .argument('<nickname>', 'worker, running or not')
    .description('print the last lines of a log')
    .option('-f, --follow', 'go on with lines as they come, until Ctrl-C')
    .option('--level <level>', 'this level and above', level)
    .option('--since <when>', 'lines since then: 5m, 2h, or a date, in local time', instant)
    .option('-n, --lines <number>', 'at most so many', whole(1, 1000), 1000)
    .action((nickname: string, options: Options) => logs(cli, nickname, options))
}

async function logs(cli: Cli, nickname: string, options: Options): Promise<void> {
  const signal = options.follow ? cli.interrupted() : undefined
  await withClient(cli, async (client, where) => {
    const ofLevel = options.level ? { level: options.level } : {}
    const since = options.since === undefined ? {} : { sinceMs: options.since }
    const past = await client.logs(nickname, { ...ofLevel, ...since, limit: options.lines })
    for (const line of past) item(cli, line, (paint) => logLine(line, paint))
    if (!past.length && !signal) note(cli, `${nickname} has no such lines.`)
    if (!signal) return
    const after = past.at(-1) ?? String(options.since ?? '0-0')
    const dropped = (lines: number) =>
      missing(cli, lines, 'line', 'they came too fast; the file of the log on its node has them')
    await whileRedisAnswers(cli, where, signal, async (signal) => {
      for await (const line of client.followLogs(nickname, { ...ofLevel, after, signal, dropped }))
        item(cli, line, (paint) => logLine(line, paint))
    })
  })
}
