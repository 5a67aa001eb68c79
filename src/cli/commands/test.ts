import type { Command } from 'commander'
import { type Cli, Failures } from '../cli.js'
import { note } from '../print.js'

export function registerTest(program: Command, cli: Cli): Command {
  return program
    .command('test')
    .argument('[file...]', 'tests (default: every *.test.ts in the processors folders and in test/)')
    .description("run the tests of your processors with Node's own test runner, TypeScript as it stands")
    .action((files: string[]) => test(cli, files))
}

async function test(cli: Cli, files: string[]): Promise<void> {
  const { findTests, runTests } = await import('../run-tests.js')
  const tests = await findTests(cli, files)
  if (!tests.length) return note(cli, 'There are no tests here. `hysas new MyType` writes a processor with its test.')
  if (!(await runTests(cli, tests))) throw new Failures([])
}
