import { HysasError } from '../errors.js'

/** What a command may touch of its surroundings; tests hand in their own. */
export interface Cli {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Results only. */
  readonly stdout: Terminal
  /** All else: headings, progress, notes, errors. */
  readonly stderr: Terminal
  /** `--json` was given: results are JSON on stdout, errors JSON on stderr, and nothing else is written. */
  readonly json: boolean
  /** Aborted, with INTERRUPTED, at the first SIGINT, SIGTERM or SIGHUP; a second one ends the process at once. */
  interrupted(): AbortSignal
  /** Asks a yes-or-no question (Ctrl-C is no); undefined where nobody is there to answer. */
  confirm(question: string): Promise<boolean | undefined>
}

export interface Terminal {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** Some of what was asked for failed; everything else was done and printed. */
export class Failures extends Error {
  constructor(readonly errors: readonly unknown[]) {
    super('some of it failed')
  }
}

/** The surroundings of the real program. */
export function processCli(argv: readonly string[]): Cli {
  return {
    cwd: process.cwd(),
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    json: wantsJson(argv),
    interrupted,
    confirm,
  }
}

/** Read before anything is parsed, since errors of parsing are JSON too. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json')
}

/** npm and npx pass a Ctrl-C on that the terminal has sent to everybody already: so soon, a second one is the same. */
const SAME_MS = 500

function interrupted(): AbortSignal {
  const controller = new AbortController()
  let first = 0
  const hear = (signal: NodeJS.Signals) => {
    if (!first) {
      first = performance.now()
      controller.abort(new HysasError('INTERRUPTED', { signal }))
    } else if (performance.now() - first > SAME_MS) {
      for (const one of SIGNALS) process.off(one, hear)
      process.kill(process.pid, signal)
    }
  }
  for (const signal of SIGNALS) process.on(signal, hear)
  return controller.signal
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

async function confirm(question: string): Promise<boolean | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  const { ask } = await import('./ask.js')
  return ask(question, process.stdin, process.stderr)
}
