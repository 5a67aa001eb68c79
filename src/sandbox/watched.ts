import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { LOG_FD } from '../protocol.js'
import { whose } from './whose.js'

/** What the thread is given: two numbers that both sides see, and where to tell. */
export interface Watched {
  cells: SharedArrayBuffer
  fd: number
}
/** Rises as long as the event loop turns. */
export const TURNS = 0
/** 1: the loop was late again and again, so short blocks are looked for too. */
export const SUSPICIOUS = 1
/** Where the thread, with the main thread paused, finds whose code that was at. */
export const WHOSE = 'hysas.whose'

const TURN_MS = 50
/** The thread loads after what the first worker needs. */
const START_MS = 50
/** Event-loop delay, 99th percentile of a second, that makes suspicious; and how many calm seconds end it. */
const LATE_MS = 150
const CALM_SECONDS = 10

/**
 * Has a thread watch over this one: where its event loop does not turn, the thread finds out whose code keeps it, by the
 * inspector, and tells the node. It costs nothing until then but its memory.
 */
export function startWatchdog(): { suspect(loopDelayMs: number): void } {
  const cells = new SharedArrayBuffer(8)
  const shared = new Int32Array(cells)
  Object.defineProperty(globalThis, Symbol.for(WHOSE), { value: () => whose()?.n ?? 0 })
  setInterval(() => Atomics.add(shared, TURNS, 1), TURN_MS).unref()
  setTimeout(() => {
    const workerData: Watched = { cells, fd: LOG_FD }
    const thread = new Worker(fileURLToPath(new URL('./watchdog.cjs', import.meta.url)), {
      workerData,
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 },
    })
    thread.on('error', () => {}) // an old Node can't: then nobody is named
    thread.unref()
  }, START_MS).unref()
  let late = 0
  let calm = 0
  return {
    suspect(loopDelayMs) {
      late = loopDelayMs > LATE_MS ? late + 1 : 0
      calm = loopDelayMs > LATE_MS ? 0 : calm + 1
      if (late >= 2) Atomics.store(shared, SUSPICIOUS, 1)
      if (calm >= CALM_SECONDS) Atomics.store(shared, SUSPICIOUS, 0)
    },
  }
}
