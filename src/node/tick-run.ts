import type { EndReason, Isolation } from '../contract.js'
import {
  CHILD_COMMAND,
  type FromChild,
  monotonicMs,
  PARENT_COMMAND,
  type RunResult,
  type StartMessage,
} from '../protocol.js'
import { schedulerIdOf } from '../redis/names.js'
import type { CatalogEntry } from './catalog.js'
import type { KeptChild } from './kept.js'
import { climbDown } from './ladder.js'
import { failureOf, type Run, type RunEnd } from './run.js'
import type { WorkerJobHandle } from './runner.js'
import type { OutputStream, WorkerChild } from './worker-child.js'

export interface TickRunOptions {
  entry: CatalogEntry
  isolation: Isolation
  jobId: string
  /** Of the job's lock. */
  token: string
  nickname: string
  every: number
  kept: KeptChild
  onLine(run: Run, stream: OutputStream, line: string): void
  /** `job.updateProgress`, of a job that is nowhere read in full. */
  onProgress(run: TickRun, value: unknown): void
  onEnd(run: TickRun, end: RunEnd): void
}

/** What BullMQ's `sandbox` hears from a child. */
type Told = { cmd: number; value?: unknown; err?: unknown }

/** Nobody waits for a tick's end but `drain`, which looks whether there are runs. */
const DONE: Promise<RunEnd> = Promise.resolve({})

/**
 * A tick in the child of an earlier one: what `startRun` does by BullMQ's `sandbox`, said to the child in the same messages,
 * but without all that only a run of hours needs. There may be thousands a second.
 */
export class TickRun implements Run {
  readonly type: string
  readonly jobId: string
  readonly token: string
  readonly nickname: string
  readonly revision: number
  readonly entry: CatalogEntry
  readonly isolation: Isolation
  readonly started = false
  readonly takenAt = performance.now()
  readonly done = DONE
  readonly kept: KeptChild
  readonly child: WorkerChild
  /** Read where something else than a good end comes of it. */
  job!: WorkerJobHandle
  claimed?: { token: string; epoch: number }
  handedAt?: number
  heardAt?: number
  orphanedAt?: number | undefined
  ending?: EndReason
  killedFor = ''
  #over = false
  #stopLadder: (() => void) | undefined
  readonly #of: TickRunOptions

  constructor(of: TickRunOptions) {
    this.#of = of
    this.type = of.entry.type
    this.jobId = of.jobId
    this.token = of.token
    this.nickname = of.nickname
    this.revision = of.kept.revision
    this.entry = of.entry
    this.isolation = of.isolation
    this.kept = of.kept
    this.child = of.kept.child
  }

  /** It holds the name: hands the job to the child. */
  begin(epoch: number, nowMs: number, params: string, skipped: number): void {
    const { child, kept } = this
    this.claimed = { token: kept.token, epoch }
    this.handedAt = performance.now()
    child.onLine = (stream, line) => this.#of.onLine(this, stream, line)
    child.onMessage = (message) => this.#note(message)
    if (child.exited) {
      this.#onExit(child.exitCode, child.signalCode)
      return
    }
    child.on('message', this.#onMessage)
    child.on('exit', this.#onExit)
    const isNew = kept.params !== params
    kept.params = params
    const { nickname, revision, jobId, token } = this
    void child.send({
      cmd: CHILD_COMMAND.start,
      job: {
        id: jobId,
        name: 'tick',
        data: JSON.stringify({ nickname, revision }),
        opts: { repeat: { every: this.#of.every } },
        repeatJobKey: schedulerIdOf(nickname),
      },
      token,
      claimed: { epoch, nowMs, atMs: monotonicMs(), ...(isNew && { params }), ...(skipped && { skipped }) },
    } satisfies StartMessage)
    if (this.killedFor) child.signal('SIGKILL')
    else if (this.ending) this.#cancel(this.ending)
  }

  end(reason: EndReason): void {
    if (this.ending) return
    this.ending = reason
    if (this.handedAt !== undefined && !this.#over) this.#cancel(reason)
  }

  kill(why: string): void {
    if (this.#over) return // its child may be another tick's by now
    this.killedFor ||= why
    if (this.handedAt !== undefined) this.child.signal('SIGKILL')
  }

  #cancel(reason: EndReason): void {
    const abort = new AbortController()
    const graceMs = (this.entry.manifest?.graceSeconds ?? 10) * 1000
    this.#stopLadder = climbDown(abort, reason, graceMs, (signal) => {
      if (signal === 'SIGKILL') {
        const writtenOff = this.child.common ? '; what it left in its common child is fenced off' : ''
        this.killedFor ||= `it did not end within ${graceMs / 1000} s${writtenOff}`
      }
      this.child.signal(signal)
    })
    void this.child.send({ cmd: CHILD_COMMAND.cancel, value: reason })
  }

  #note(message: FromChild): void {
    this.heardAt = performance.now()
    if (message.hysas === 'claimed') this.claimed = { token: message.token, epoch: message.epoch }
  }

  readonly #onMessage = ({ cmd, value, err }: Told): void => {
    if (cmd === PARENT_COMMAND.completed) this.#finish({ result: value as RunResult })
    else if (cmd === PARENT_COMMAND.failed || cmd === PARENT_COMMAND.error) {
      this.#finish({ failure: failureOf(Object.assign(new Error(), value ?? err), this) })
    } else if (cmd === PARENT_COMMAND.progress) this.#of.onProgress(this, value)
  }

  readonly #onExit = (code: number | null, signal: string | null): void => {
    const { endedBy } = this.child
    this.#finish({ failure: failureOf(exitError(code, signal), this), ...(endedBy && { fell: endedBy }) })
  }

  #finish(end: RunEnd): void {
    if (this.#over) return
    this.#over = true
    this.#stopLadder?.()
    this.child.off('message', this.#onMessage)
    this.child.off('exit', this.#onExit)
    this.#of.onEnd(this, end)
  }
}

/** As BullMQ's `sandbox` says it. */
const exitError = (code: number | null, signal: string | null): Error =>
  new Error(`Unexpected exit code: ${code} signal: ${signal}`)
