import { Command, CommanderError } from 'commander'
import { HysasError, toHysasError } from '../errors.js'
import { type Cli, Failures } from './cli.js'
import { registerAll } from './commands/index.js'
import { printError } from './print.js'
import { packageVersion } from './version.js'

/**
 * Runs one command line (without `node` and the script).
 * @returns the exit code: 0 done, 1 failed, 2 misuse
 */
export async function run(argv: readonly string[], cli: Cli): Promise<number> {
  try {
    await createProgram(cli).parseAsync(argv, { from: 'user' })
    return 0
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0
    const errors = thrown instanceof Failures ? thrown.errors : [thrown]
    for (const error of errors) printError(cli, asMisuse(error))
    return errors.length ? Math.max(...errors.map((error) => toHysasError(asMisuse(error)).exit)) : 1
  }
}

/** All commands. What a command imports to do its work comes in when it is run, so that the rest starts fast. */
export function createProgram(cli: Cli): Command {
  const program = new Command('hysas')
    .description('Named, supervised, long-running workers on BullMQ and Redis.')
    .version(packageVersion(), '-V, --version')
    .configureOutput({
      writeOut: (text) => cli.stdout.write(text),
      writeErr: (text) => cli.stderr.write(text),
      getOutHelpWidth: () => cli.stdout.columns ?? 100,
      getErrHelpWidth: () => cli.stderr.columns ?? 100,
      getOutHasColors: () => Boolean(cli.stdout.isTTY),
      getErrHasColors: () => Boolean(cli.stderr.isTTY),
      outputError: () => {}, // printed by `run`, in our form
    })
    .exitOverride()
    .helpCommand('help [command]', 'display help for a command')
    .addHelpText(
      'after',
      '\nWhere the fleet is: HYSAS_REDIS_URL, else the `hysas up` of this folder or of one above it.',
    )
  registerAll(program, cli)
  for (const command of program.commands) command.option('--json', 'print JSON, for programs')
  return program
}

/** Commander's own errors, in the words of the catalogue. */
function asMisuse(thrown: unknown): unknown {
  if (!(thrown instanceof CommanderError)) return thrown
  // Commander prints the whole help where a command is missing.
  const reason = thrown.code === 'commander.help' ? 'Which command?' : thrown.message.replace(/^error: /, '')
  return new HysasError('USAGE', { reason: reason.replace(/\s*\n\s*/g, ' ') }, { cause: thrown })
}
