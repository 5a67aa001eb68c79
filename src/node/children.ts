import { type Child as BullChild, ChildPool } from 'bullmq'
import type { Isolation } from '../contract.js'
import { messageOf } from '../errors.js'
import type { ConfigMessage, InitMessage } from '../protocol.js'
import { Child } from './child.js'
import { type CommonsOptions, createCommons } from './commons.js'
import { createPreloaded } from './preloaded.js'
import type { WorkerChild } from './worker-child.js'

/** How long a processor may take to load, ms. */
const LOAD_DEADLINE_MS = 15_000
/** Children that are tried for one run, where they are killed before they have it. */
const LOAD_TRIES = 3
/** A spare one that could not be started is tried again after so long, ms. */
const AGAIN_MS = 5000

export interface ChildrenOptions {
  entry: string
  config: ConfigMessage
  /** Children that stand ready, connected and with nothing loaded. */
  spares?: number
  onBlocking: CommonsOptions['onBlocking']
  /** A line of a common child that none of its workers wrote. */
  onLine: CommonsOptions['onLine']
}

export type Children = ReturnType<typeof createChildren>

/** The child processes of a node: spare ones that stand ready, and those that host a run. */
export function createChildren({ entry, config, spares = 1, onBlocking, onLine }: ChildrenOptions) {
  const spare: Child[] = []
  const all = new Set<Child>()
  let closed = false
  let again: NodeJS.Timeout | undefined
  let isToldOf = false

  const spawn = (): Child => {
    const child = new Child(entry, config)
    all.add(child)
    child.once('exit', () => {
      all.delete(child)
      const index = spare.indexOf(child)
      if (index >= 0) spare.splice(index, 1)
    })
    return child
  }

  /** None where the system has no room for one: that is told once. The node goes on without, and tries again. */
  const spawnSpare = (): Child | undefined => {
    const failed = (error: unknown): undefined => {
      if (!isToldOf) onLine('stderr', `no spare child can be started: ${messageOf(error)}`)
      isToldOf = true
      again ??= setTimeout(() => {
        again = undefined
        refill()
      }, AGAIN_MS).unref()
    }
    try {
      const child = spawn()
      child.ready.then(
        () => {
          isToldOf = false
        },
        (error: unknown) => child.pid < 0 && failed(error),
      )
      return child
    } catch (error) {
      return failed(error)
    }
  }

  const refill = (): void => {
    while (!closed && spare.length < spares) {
      const child = spawnSpare()
      if (!child) return
      spare.push(child)
    }
  }

  const take = (): Child => {
    let child = spare.shift()
    while (child && !child.isAlive) child = spare.shift()
    child ??= spawn()
    // the replacement waits a little, so that it does not take the processor from the run that is starting
    setTimeout(refill, 50).unref()
    return child
  }
  const commons = createCommons({ take, onBlocking, onLine })
  const preloaded = createPreloaded(spawnSpare)

  return {
    /**
     * A child that may be given a processor to load, or has it loaded already.
     * @param preload whether a spare one that has it loaded may be taken, and another is made: those that tick keep their child
     */
    take(isolation: Isolation, value: InitMessage['value'], preload: boolean): WorkerChild {
      if (isolation === 'shared') return commons.lodge()
      return (preload ? preloaded.take(value) : undefined) ?? take()
    },
    commons: commons.all,
    refill,
    size: () => all.size,
    async close(): Promise<void> {
      closed = true
      clearTimeout(again)
      preloaded.close()
      await Promise.all([...all].map((child) => child.kill('SIGKILL')))
    },
  }
}

/** What a run wants of its child. */
export interface Hosting {
  type: string
  version: string
  isolation: Isolation
  /** Of a repeatable worker. */
  ticks: boolean
  /** A child of an earlier tick, if it is still there. */
  kept?: WorkerChild | undefined
  onChild(child: WorkerChild): void
  /** The processor is loaded; the run is handed over now. */
  onLoaded(): void
  /** False once the node is ending the run. */
  isWanted(): boolean
}

/**
 * The pool that BullMQ's `sandbox` is given for one run: it hands out a child of ours, with the file loaded, and never
 * keeps it: what becomes of it is decided where the run ends. (Stock pools reuse a child for the next job, leftovers of
 * the last run included.)
 */
export class RunPool extends ChildPool {
  readonly #children: Children
  readonly #hosting: Hosting

  constructor(children: Children, hosting: Hosting) {
    super({ mainFile: '' })
    this.#children = children
    this.#hosting = hosting
  }

  override async retain(bundle: string): Promise<BullChild> {
    const { type, version, isolation, ticks, kept, onChild, onLoaded, isWanted } = this.#hosting
    const value = { bundle, type, version }
    for (let tries = 1; ; tries++) {
      const child = kept && !kept.exited ? kept : this.#children.take(isolation, value, !ticks)
      onChild(child)
      try {
        if (child.processFile !== bundle) await child.load(value, LOAD_DEADLINE_MS)
        onLoaded()
        return child as unknown as BullChild
      } catch (error) {
        // a spare one that somebody killed just then: that is no crash of this worker
        if (child.signalCode !== 'SIGKILL' || !isWanted() || tries === LOAD_TRIES) throw error
      }
    }
  }

  override release(): void {}

  override remove(): void {}

  override async kill(): Promise<void> {}
}
