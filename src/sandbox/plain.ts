import type { Context, PlainProcessor } from '../contract.js'
import { PARENT_COMMAND, type StartMessage } from '../protocol.js'
import type { Send } from './home.js'
import type { LongRunning } from './loading.js'

/**
 * An ordinary BullMQ processor as one of ours: its work is done when it returns. Its job is what BullMQ's sandbox
 * would give it, but `data` are the worker's parameters, and the job's place in the queue is not its to change.
 */
export function plainProcessor(run: PlainProcessor, start: StartMessage, send: Send): LongRunning {
  return {
    produce: (ctx: Context) =>
      run(
        jobOf(start, ctx.params, (value) => ctx.progress(value), send),
        start.token,
        ctx.signal,
      ),
  }
}

function jobOf(
  { job }: StartMessage,
  params: Record<string, unknown>,
  onProgress: (value: unknown) => void,
  send: Send,
): Record<string, unknown> {
  const wrapped: Record<string, unknown> = {
    ...job,
    data: params,
    returnValue: {},
    async updateProgress(value: unknown) {
      wrapped.progress = value
      onProgress(value)
    },
    log: (row: unknown) => send({ cmd: PARENT_COMMAND.log, value: String(row) }),
    async updateData(data: unknown) {
      wrapped.data = data
    },
    getChildrenValues: async () => ({}),
    getIgnoredChildrenFailures: async () => ({}),
    getDependencies: async () => ({}),
    getDependenciesCount: async () => ({}),
  }
  for (const name of ['moveToDelayed', 'moveToWait', 'moveToWaitingChildren']) {
    wrapped[name] = async () => {
      throw new Error(`job.${name} is not there for a worker: its node decides when it runs.`)
    }
  }
  return wrapped
}
