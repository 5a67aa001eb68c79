import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { until } from '../helpers/until.js'

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js')
const nodes = new Set<Node>()

afterAll(async () => {
  await Promise.all([...nodes].map((node) => node.end('SIGKILL')))
})

export interface Result {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface Node {
  child: ChildProcess
  output(): Result
  /** Sends the signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<Result>
  ended: Promise<Result>
}

/** Starts the built program. */
export function start(argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Node {
  const child = spawn(process.execPath, [MAIN, ...argv], { cwd, env: { ...process.env, ...env } })
  const result: Result = { code: null, signal: null, stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    result.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    result.stderr += chunk
  })
  const ended = new Promise<Result>((resolve) => {
    child.once('close', (code, signal) => resolve(Object.assign(result, { code, signal })))
  })
  const node: Node = {
    child,
    output: () => result,
    ended,
    end(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
  nodes.add(node)
  ended.then(() => nodes.delete(node))
  return node
}

/** Runs one command of the built program to its end. */
export async function program(argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Result> {
  const running = start(argv, cwd, env)
  running.child.stdin?.end()
  return running.ended
}

/** `hysas up`, as soon as it is up. */
export async function up(cwd: string, env: NodeJS.ProcessEnv = {}, ...flags: string[]): Promise<Node> {
  const node = start(['up', '--port', '0', ...flags], cwd, env)
  await until(
    () => {
      if (node.child.exitCode !== null) throw new Error(node.output().stderr)
      return node.output().stdout.includes('is up')
    },
    { what: 'hysas up is up', timeoutMs: 20_000 },
  )
  return node
}
