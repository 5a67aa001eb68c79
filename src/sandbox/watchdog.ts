import { writeSync } from 'node:fs'
import { type Debugger, type InspectorNotification, Session } from 'node:inspector'
import { workerData } from 'node:worker_threads'
import type { Blocking } from '../protocol.js'

// The numbers are those of watched.ts, which is not imported: it would bring the whole of the child into this thread.
const TURNS = 0
const SUSPICIOUS = 1
const WHOSE = 'hysas.whose'

const LOOK_MS = 250
const LOOK_CLOSELY_MS = 25
/** An event loop that has not turned for so long is blocked: no garbage collection takes that long. */
const BLOCKED_MS = 1500
/** And so long where it was late again and again. */
const BLOCKED_BRIEFLY_MS = 150
/** Where this thread itself is so late, the machine is overloaded. */
const LATE_MS = 1200
const LATE_BRIEFLY_MS = 200
const AGAIN_MS = 2000
const AGAIN_BRIEFLY_MS = 1000
const STACK_LENGTH = 4096

const { cells, fd } = workerData as { cells: SharedArrayBuffer; fd: number }
const shared = new Int32Array(cells)
let turns = -1
let turnedAt = performance.now()
let lookedAt = turnedAt
let sampledAt = Number.NEGATIVE_INFINITY
/** One at a time: the main thread may be paused only when it comes back from native code. */
let sampling: { turns: number; ms: number } | undefined

look()

function look(): void {
  const now = performance.now()
  const closely = Atomics.load(shared, SUSPICIOUS) === 1
  const everyMs = closely ? LOOK_CLOSELY_MS : LOOK_MS
  const seen = Atomics.load(shared, TURNS)
  // where this thread was held up itself, the machine is, and nobody in here
  if (seen !== turns || now - lookedAt > (closely ? LATE_BRIEFLY_MS : LATE_MS)) turnedAt = now
  turns = seen
  lookedAt = now
  const ms = now - turnedAt
  if (ms > (closely ? BLOCKED_BRIEFLY_MS : BLOCKED_MS) && now - sampledAt > (closely ? AGAIN_BRIEFLY_MS : AGAIN_MS)) {
    sampledAt = now
    sample(Math.round(ms))
  }
  setTimeout(look, everyMs)
}

/**
 * Pauses the main thread where it is, asks whose code that is, and lets it go on. Native code is paused only when it
 * returns: by then it may be somebody else's turn, and nobody is named.
 */
function sample(ms: number): void {
  if (sampling) return
  sampling = { turns, ms }
  const session = connect()
  session.post('Debugger.enable')
  session.post('Debugger.pause')
}

function connect(): Session {
  const connected = new Session()
  connected.connectToMainThread()
  connected.on('Debugger.paused', ({ params }: InspectorNotification<Debugger.PausedEventDataType>) => {
    const goOn = () => {
      connected.post('Debugger.resume')
      connected.post('Debugger.disable', () => {
        connected.disconnect() // or the process would wait for it at its end
        sampling = undefined
      })
    }
    const [frame] = params.callFrames
    if (!frame || !sampling || Atomics.load(shared, TURNS) !== sampling.turns) return goOn()
    const { ms } = sampling
    const expression = `JSON.stringify([globalThis[Symbol.for('${WHOSE}')](), new Error('').stack])`
    const asked: Debugger.EvaluateOnCallFrameParameterType = {
      callFrameId: frame.callFrameId,
      expression,
      returnByValue: true,
      silent: true,
    }
    connected.post('Debugger.evaluateOnCallFrame', asked, (error, answer) => {
      if (!error && typeof answer.result.value === 'string') tell(ms, answer.result.value)
      goOn()
    })
  })
  return connected
}

function tell(ms: number, answer: string): void {
  const [n, text] = JSON.parse(answer) as [number, string]
  const lines = text.split('\n').slice(1) // the first has the message, the second is what was evaluated
  const stack = lines
    .filter((line) => !/at eval \(eval at |node:internal\//.test(line))
    .join('\n')
    .slice(0, STACK_LENGTH)
  const blocking: Blocking = { n, ms, stack }
  try {
    writeSync(fd, `0 b ${JSON.stringify(blocking)}\n`)
  } catch {
    // the pipe is full: the next sample tells
  }
}
