import type { EndReason } from '../contract.js'
import type { RunResult, StartMessage, ToChild } from '../protocol.js'
import { CHILD_COMMAND, END_JOB, PARENT_COMMAND } from '../protocol.js'
import { createEnding, type Ending } from './ending.js'
import { failureOf, stackOf } from './failure.js'
import type { Home, Outgoing, Send } from './home.js'
import { jobData } from './job-data.js'
import { openHub } from './listening.js'
import { type Loaded, load } from './loading.js'
import { run } from './run.js'
import type { Session } from './session.js'
import { createTicker, type Ticker } from './ticker.js'

/** Hosts one worker in this process: loads its processor, and gives it its runs as the node says. */
export interface Host {
  obey(message: ToChild): Promise<void>
  /** An error that nobody caught: it is logged and told. Resolves when the node has it. */
  crash(thrown: unknown, what: string): Promise<void>
  /** SIGTERM: ends the run, if there is one. A second one, or one during its end, leaves no more time. */
  terminate(): Promise<void>
  /** Of a virtual child, which can't be killed: fences its run off, ends what was opened for it, and calls no more of its hooks. */
  cut(): void
  /** Its one run is over, and the process about to be ended. */
  isOver(): boolean
}

export function createHost(home: Home, send: Send): Host {
  let loaded: Loaded | undefined
  /** A node that knows that the file can be loaded does not wait for it before it gives the run. */
  let loading: Promise<void> | undefined
  let failure: unknown
  let ticker: Ticker | undefined
  let session: Session | undefined
  let opened: ReturnType<typeof openHub> | undefined
  let current: Ending | undefined
  /** Resolves when the node has been told how the last run ended. */
  let done: Promise<void> | undefined
  let over = false
  const onSession = (opened: Session) => {
    session = opened
  }

  const init = async (value: { bundle: string; type: string; version: string }) => {
    try {
      loaded = await load(value)
      if (loaded.kind === 'repeatable') ticker = createTicker({ home, loaded, send, onSession })
      else if (!home.hub) opened = openHub(home)
      await send({ cmd: PARENT_COMMAND.initCompleted })
    } catch (thrown) {
      failure = thrown
      const { message, stack } = failureOf(thrown)
      await send({ cmd: PARENT_COMMAND.initFailed, err: { message, ...(stack ? { stack } : {}) } })
    }
  }

  const runOnce = (start: StartMessage, ending: Ending): Promise<RunResult> => {
    if (ticker) return start.job.name === END_JOB ? ticker.end(start, ending) : ticker.tick(start, ending)
    if (!loaded || loaded.kind === 'repeatable') throw failure ?? new Error('No processor has been loaded.')
    opened?.rename(jobData(start).nickname)
    return run({ home, loaded, start, ending, send, onSession, hub: opened?.hub })
  }

  const start = async (message: StartMessage) => {
    if (current || over) {
      const err = { message: current ? 'this child is at work already' : "this child's run is over" }
      return send({ cmd: PARENT_COMMAND.error, err })
    }
    const ending = createEnding()
    const stopPulse = home.common ? () => {} : startPulse(send) // a common child tells of itself
    const work = async () => {
      let answer: Outgoing
      await loading
      try {
        answer = { cmd: PARENT_COMMAND.completed, value: await runOnce(message, ending) }
      } catch (thrown) {
        answer = { cmd: PARENT_COMMAND.failed, value: failureOf(thrown) }
      }
      stopPulse()
      if (ticker) current = undefined // the next tick may come as soon as this one's end is told
      await send(answer)
    }
    current = ending
    done = work()
    await done
    opened?.hub.close() // also of a run that never heard anything
    if (ticker) return
    current = undefined
    over = true
  }

  return {
    isOver: () => over,
    async obey(message) {
      if ('hysas' in message) {
        if (message.hysas === 'logLevel') session?.setLogLevel(message.level)
      } else if (message.cmd === CHILD_COMMAND.init) {
        loading = init(message.value)
        await loading
      } else if (message.cmd === CHILD_COMMAND.start) await start(message)
      else if (message.cmd === CHILD_COMMAND.cancel) current?.end(reasonOf(message.value))
    },
    async crash(thrown, what) {
      const log = session?.log ?? home.openLog({ type: loaded?.type ?? '', nickname: '' }, 'info')
      log.error({ stack: stackOf(thrown) }, what)
      await send({ cmd: PARENT_COMMAND.failed, value: failureOf(thrown) })
    },
    async terminate() {
      if (current?.reason) current.hurry()
      current?.end('signal')
      await done
    },
    cut() {
      over = true
      session?.fence.close()
      ticker?.cut()
      current?.end('cut')
      current?.hurry()
    },
  }
}

const PULSE_MS = 1000

/** Tells the node again and again that the event loop turns: also while Redis is away, and in every phase of a run. */
function startPulse(send: Send): () => void {
  const beat = () => void send({ hysas: 'alive' })
  beat()
  const timer = setInterval(beat, PULSE_MS).unref()
  return () => clearInterval(timer)
}

function reasonOf(value: unknown): EndReason {
  return value === 'stop' || value === 'restart' || value === 'shutdown' ? value : 'handover'
}
