import type { Command } from 'commander'
import type { Cli } from '../cli.js'
import { commandOptions, withClient } from '../connect.js'
import { seconds } from '../parse.js'
import { clean, jsonText, misuse, result } from '../print.js'
import { waiting } from '../waiting.js'

export function registerSend(program: Command, cli: Cli): Command {
  return program
    .command('send')
    .argument('<nickname>', 'a running worker')
    .argument('<operation>', 'of its processor, or subscribe, unsubscribe, logLevel')
    .argument('[json]', 'its arguments, one JSON object', '{}')
    .description('call an operation of a worker and print what it returns')
    .option('--timeout <seconds>', 'how long to wait for the answer (default: 10)', seconds)
    .action((nickname: string, operation: string, json: string, options: { timeout?: number }) =>
      send(cli, nickname, operation, json, options.timeout),
    )
}

async function send(cli: Cli, nickname: string, operation: string, json: string, timeoutMs?: number): Promise<void> {
  const args = parseArguments(json)
  await withClient(cli, async (client) => {
    const options = commandOptions(cli, { ...(timeoutMs && { timeout: timeoutMs }) })
    const answer = await waiting(cli, `${nickname} works`, client.send(nickname, operation, args, options))
    result(cli, answer ?? null, () => (typeof answer === 'string' ? clean(answer) : jsonText(answer ?? null, 2)))
  })
}

function parseArguments(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // told below
  }
  return misuse(`the arguments are one JSON object, for example '{"channel": "a"}', not ${JSON.stringify(json)}`)
}
