import { HysasError, messageOf } from '../errors.js'
import { PARENT_COMMAND } from '../protocol.js'
import type { Send } from './home.js'
import type { RunState } from './state.js'

const LIMIT = 64 * 1024
/** Each one sent is written to the job by the node: often enough for people. */
const EVERY_MS = 2000

/** Keeps what `ctx.progress` says for the heartbeat, and sends it to the job, at most every 2 s and the last one for sure. */
export function createProgress(state: RunState, send: Send): { set(value: unknown): void; close(): void } {
  let timer: NodeJS.Timeout | undefined
  let unsent = false
  const sendNow = () => {
    unsent = false
    void send({ cmd: PARENT_COMMAND.progress, value: state.progress })
    timer = setTimeout(() => {
      timer = undefined
      if (unsent) sendNow()
    }, EVERY_MS).unref()
  }
  return {
    set(value) {
      state.progress = copyOf(value)
      unsent = true
      if (!timer) sendNow()
    },
    close() {
      clearTimeout(timer)
      timer = undefined
      if (unsent) void send({ cmd: PARENT_COMMAND.progress, value: state.progress })
      unsent = false
    },
  }
}

/** As JSON at this moment: the processor may go on changing its object. */
function copyOf(value: unknown): unknown {
  let json: string
  try {
    json = JSON.stringify(value) ?? 'null'
  } catch (error) {
    throw new HysasError('NOT_SERIALIZABLE', { channel: 'progress', reason: messageOf(error) }, { cause: error })
  }
  const bytes = Buffer.byteLength(json)
  if (bytes > LIMIT) throw new HysasError('TOO_LARGE', { what: 'progress', bytes, limit: LIMIT })
  return JSON.parse(json)
}
