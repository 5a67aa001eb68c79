import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { ProcessorManifest } from '../contract.js'
import { HysasError, messageOf } from '../errors.js'
import type { ProbeReport } from '../protocol.js'
import { builtFile } from './package-root.js'

/** All that a file sees of our environment while it is looked at. */
const ENVIRONMENT = /^(PATH|HOME|USER|LANG|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT)$/i
const SETPRIV = '/usr/bin/setpriv'
/** So much of what the file prints is kept, to be shown when it ends without an answer. */
const OUTPUT_LENGTH = 2000

export interface ProbeOptions {
  /** Absolute path of what `compileProcessor` made. */
  bundle: string
  /** The processor file, for the error. Default: the bundle. */
  file?: string
  /** Default 10,000. */
  timeoutMs?: number
  signal?: AbortSignal
}

/**
 * Imports a bundle in a throwaway child and returns what it is. Nothing that the file does at import can harm us: the
 * child, and whatever it has started in its process group, is killed in the end.
 * @throws HysasError BAD_PROCESSOR with the reason and, where it threw, file, line and column
 */
export async function probeProcessor(options: ProbeOptions): Promise<ProcessorManifest> {
  const { bundle, file = bundle, timeoutMs = 10_000, signal } = options
  const child = startProbe(bundle)
  const output = keepOutput(child)
  try {
    const report = await answerOf(child, output, timeoutMs, signal)
    if ('manifest' in report) return report.manifest
    throw new HysasError('BAD_PROCESSOR', { file, reason: report.reason })
  } finally {
    await end(child)
  }
}

function startProbe(bundle: string): ChildProcess {
  const node = [process.execPath, '--enable-source-maps']
  // A loop without end must not outlive a node that is killed meanwhile: no message would reach it.
  const command = process.platform === 'linux' && existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', ...node] : node
  return fork(builtFile('sandbox/probe.cjs'), [bundle], {
    execPath: command[0] ?? process.execPath,
    execArgv: command.slice(1),
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => ENVIRONMENT.test(name))),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true, // a process group of its own, so that it can be killed as a whole
  })
}

function keepOutput(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-OUTPUT_LENGTH)
    })
  }
  return () => text.trim()
}

function answerOf(
  child: ChildProcess,
  output: () => string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<ProbeReport> {
  return new Promise((resolve) => {
    const refuse = (reason: string) => {
      clearTimeout(timer)
      resolve({ hysas: 'probe', reason: output() ? `${reason}; it printed: ${output()}` : reason })
    }
    const timer = setTimeout(
      () =>
        refuse(`it was not imported within ${timeoutMs / 1000} s (a loop without end, or waiting at the top level?)`),
      timeoutMs,
    )
    signal?.addEventListener('abort', () => refuse('the node ended meanwhile'), { once: true })
    if (signal?.aborted) refuse('the node ended meanwhile')
    child.on('message', (message: unknown) => {
      if (!isReport(message)) return // the file itself may send messages
      clearTimeout(timer)
      resolve(message)
    })
    child.on('error', (error) => refuse(`the child that looks at it can't be started: ${messageOf(error)}`))
    child.on('exit', (code, killedBy) => {
      killGroup(child) // or what it left behind would hold its output open
      const why = 'it ends the process when it is imported'
      const how = killedBy ? `signal ${killedBy}` : `exit code ${code}`
      child.once('close', () => refuse(`${why} (${how})`))
      setTimeout(() => refuse(`${why} (${how})`), 200).unref()
    })
  })
}

function isReport(message: unknown): message is ProbeReport {
  return typeof message === 'object' && message !== null && (message as { hysas?: unknown }).hysas === 'probe'
}

async function end(child: ChildProcess): Promise<void> {
  const gone = child.pid === undefined || child.exitCode !== null || child.signalCode !== null
  const exited = gone ? undefined : new Promise((resolve) => child.once('exit', resolve))
  killGroup(child)
  await exited
  child.stdout?.destroy()
  child.stderr?.destroy()
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // the whole group is gone already
  }
}
