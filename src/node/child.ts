import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { messageOf } from '../errors.js'
import {
  type ConfigMessage,
  type DyingMessage,
  type FromChild,
  type InitMessage,
  LOG_FD,
  type ManyMessage,
  type PulseMessage,
} from '../protocol.js'
import { birthOf } from '../redis/processes.js'
import { onceEnded } from './child-end.js'
import { ending, loadInto } from './child-load.js'
import { type Lines, readLines } from './lines.js'
import type { OutputStream, WorkerChild } from './worker-child.js'

/**
 * One child process, in the shape that BullMQ's `sandbox` drives: events `message`, `exit`; `send`, `kill`.
 * Its output is read line by line and never piped: BullMQ's own Child pipes, which warns at the 11th.
 */
export class Child extends EventEmitter implements WorkerChild {
  readonly childProcess: ChildProcess
  /** Resolves when it is loaded and connected; rejects when it ends before. */
  readonly ready: Promise<void>
  /** Gets every line it writes. */
  onLine: (stream: OutputStream, line: string) => void = () => {}
  onMessage: (message: FromChild | ManyMessage | PulseMessage | DyingMessage) => void = () => {}
  exitCode: number | null = null
  signalCode: NodeJS.Signals | null = null
  /** What it has loaded: BullMQ's pool asks. */
  processFile = ''
  readonly #output: Lines[] = []

  constructor(entry: string, config: ConfigMessage) {
    super()
    const [execPath, execArgv] = DEATH_BOUND
    this.childProcess = fork(entry, [], {
      execPath,
      execArgv,
      env: childEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      serialization: 'json',
      detached: true, // leads a process group, so that what it started goes with it
    })
    const { childProcess } = this
    this.ready = new Promise((resolve, reject) => {
      const onReady = (message: FromChild) => {
        if (message.hysas === 'ready') resolve()
      }
      childProcess.on('message', onReady)
      childProcess.once('exit', (code, signal) =>
        reject(new Error(`the child ended while starting (${ending(code, signal)})`)),
      )
      childProcess.once('error', (error) => reject(new Error(`its process could not be started: ${error.message}`)))
    })
    this.ready.catch(() => {})
    this.#read('stdout', childProcess.stdout)
    this.#read('stderr', childProcess.stderr)
    // one that could not be started, for want of descriptors, has no streams at all
    this.#read('log', childProcess.stdio?.[LOG_FD] as Readable | null | undefined)
    childProcess.on('message', (message: FromChild & { cmd?: number }) => {
      if (message.cmd === undefined) this.onMessage(message)
      else this.emit('message', message)
    })
    // after the last line of output, so that nobody misses what it said before it ended
    onceEnded(childProcess, (code, signal) => {
      for (const lines of this.#output) lines.end()
      this.exitCode = code
      this.signalCode = signal
      if (code === null && signal === null) this.exitCode = -1
      this.emit('exit', code, signal)
      this.removeAllListeners()
    })
    void this.send(config)
  }

  get pid(): number {
    return this.childProcess.pid ?? -1
  }

  /** Asks the system: of a child that was killed, the word comes a little later. */
  get isAlive(): boolean {
    return !this.exited && birthOf(this.pid) !== ''
  }

  get exited(): boolean {
    return this.exitCode !== null || this.signalCode !== null
  }

  /** Never rejects: a child that can't be told anything is ending, and its exit tells. */
  send(message: object): Promise<void> {
    return new Promise((resolve) => {
      if (!this.childProcess.connected) return resolve()
      this.childProcess.send(message, () => resolve())
    })
  }

  async load(value: InitMessage['value'], deadlineMs: number): Promise<void> {
    await this.ready
    await loadInto(this, value, deadlineMs)
    this.processFile = value.bundle
  }

  signal(signal: NodeJS.Signals): void {
    this.childProcess.kill(signal)
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL', timeoutMs = 5000): Promise<void> {
    if (this.exited) return
    const ended = new Promise<void>((resolve) => this.once('exit', () => resolve()))
    this.childProcess.kill(signal)
    const timer = setTimeout(() => this.childProcess.kill('SIGKILL'), timeoutMs)
    await ended
    clearTimeout(timer)
  }

  #read(stream: OutputStream, from: Readable | null | undefined): void {
    if (!from) return
    const lines = readLines(from, (line) => {
      try {
        this.onLine(stream, line)
      } catch (error) {
        process.stderr.write(`a line of a worker could not be kept: ${messageOf(error)}\n`)
      }
    })
    this.#output.push(lines)
  }
}

const ARGV = ['--enable-source-maps']

/**
 * How a child is started. Where the system has it, bound to its parent's death, so that a killed node leaves nothing
 * behind that goes on publishing, not even out of an endless loop. `setpriv` replaces itself by node: pid and IPC stay.
 */
const DEATH_BOUND: [string, string[]] = (() => {
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path))
  if (process.platform !== 'linux' || !setpriv) return [process.execPath, ARGV]
  return [setpriv, ['--pdeathsig', 'KILL', process.execPath, ...ARGV]]
})()

/** Names of variables that a worker may see: nothing that may hold a secret of the node. */
const ALLOWED = [
  'PATH',
  'HOME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'NODE_ENV',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
]

function childEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => ALLOWED.includes(name) || name.startsWith('HYSAS_WORKER_')),
  )
}
