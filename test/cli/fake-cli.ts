import type { Cli, Terminal } from '../../src/cli/cli.js'
import { wantsJson } from '../../src/cli/cli.js'
import { run } from '../../src/cli/program.js'

export interface Ran {
  code: number
  stdout: string
  stderr: string
}

export interface Given {
  cwd?: string
  env?: NodeJS.ProcessEnv
  isTTY?: boolean
  columns?: number
  signal?: AbortSignal
  answer?: boolean
}

/** Surroundings whose terminals remember what was written. */
export function fakeCli(argv: readonly string[] = [], given: Given = {}) {
  const out = memory(given)
  const err = memory(given)
  const cli: Cli = {
    cwd: given.cwd ?? process.cwd(),
    env: given.env ?? {},
    stdout: out.terminal,
    stderr: err.terminal,
    json: wantsJson(argv),
    interrupted: () => given.signal ?? new AbortController().signal,
    confirm: async () => given.answer,
  }
  return { cli, stdout: out.text, stderr: err.text }
}

/** Runs one command line in this process. */
export async function hysas(argv: readonly string[], given: Given = {}): Promise<Ran> {
  const { cli, stdout, stderr } = fakeCli(argv, given)
  const code = await run(argv, cli)
  return { code, stdout: stdout(), stderr: stderr() }
}

function memory({ isTTY, columns }: Given): { terminal: Terminal; text: () => string } {
  let written = ''
  const write = (text: string) => {
    written += text
  }
  return { terminal: { write, isTTY, columns }, text: () => written }
}
