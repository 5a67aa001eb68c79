import { EventEmitter } from 'node:events'
import type { FromChild, InitMessage } from '../protocol.js'
import { loadInto } from './child-load.js'
import type { CommonChild } from './common-child.js'
import type { EndedBy, OutputStream, WorkerChild } from './worker-child.js'

/** How long it is waited for a virtual child to clear away; its process may be blocked. */
const GONE_MS = 300

/** One of the many in a common child. It can't be killed alone: SIGKILL fences its run off and closes what it has. */
export class VirtualChild extends EventEmitter implements WorkerChild {
  readonly common: CommonChild
  readonly n: number
  onLine: (stream: OutputStream, line: string) => void = () => {}
  onMessage: (message: FromChild) => void = () => {}
  exitCode: number | null = null
  signalCode: NodeJS.Signals | null = null
  processFile = ''
  endedBy: EndedBy | undefined
  #giveUp: NodeJS.Timeout | undefined

  constructor(common: CommonChild, n: number) {
    super()
    this.common = common
    this.n = n
  }

  get pid(): number {
    return this.common.pid
  }

  get exited(): boolean {
    return this.exitCode !== null || this.signalCode !== null
  }

  send(message: object): Promise<void> {
    return this.exited ? Promise.resolve() : this.common.send(this.n, message)
  }

  async load(value: InitMessage['value'], deadlineMs: number): Promise<void> {
    await this.common.ready
    const { loaded } = this.common
    // what its process has loaded before is there at once: the run may be given with it
    if (loaded.has(value.bundle)) void this.send({ cmd: 0, value } satisfies InitMessage)
    else await loadInto(this, value, deadlineMs)
    loaded.add(value.bundle)
    this.processFile = value.bundle
  }

  signal(signal: NodeJS.Signals): void {
    if (this.exited) return
    if (signal !== 'SIGKILL') return void this.send({ hysas: 'term' })
    void this.send({ hysas: 'cut' })
    this.#giveUp ??= setTimeout(() => this.end(null, 'SIGKILL'), GONE_MS)
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL', timeoutMs = 5000): Promise<void> {
    if (this.exited) return
    const ended = new Promise<void>((resolve) => this.once('exit', () => resolve()))
    this.signal(signal)
    const timer = signal === 'SIGKILL' ? undefined : setTimeout(() => this.signal('SIGKILL'), timeoutMs)
    await ended
    clearTimeout(timer)
  }

  /** It has ended, by itself or with its process. */
  end(code: number | null, signal: NodeJS.Signals | null, by?: EndedBy): void {
    if (this.exited) return
    clearTimeout(this.#giveUp)
    this.endedBy = by
    this.signalCode = signal
    this.exitCode = signal ? null : (code ?? -1)
    this.common.forget(this.n)
    this.emit('exit', code, signal)
    this.removeAllListeners()
  }
}
