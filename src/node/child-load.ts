import { type InitMessage, PARENT_COMMAND } from '../protocol.js'
import type { WorkerChild } from './worker-child.js'

/** Has a child load a processor. @throws Error what the child says is wrong with it, or that it took too long */
export function loadInto(child: WorkerChild, value: InitMessage['value'], deadlineMs: number): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const settle = (done: () => void) => {
      clearTimeout(timer)
      child.off('message', onMessage)
      child.off('exit', onExit)
      done()
    }
    const onMessage = (message: { cmd: number; err?: { message?: string; stack?: string } }) => {
      if (message.cmd === PARENT_COMMAND.initCompleted) settle(resolve)
      if (message.cmd === PARENT_COMMAND.initFailed) {
        const error = new Error(message.err?.message ?? 'the processor could not be loaded')
        if (message.err?.stack) error.stack = message.err.stack
        settle(() => reject(error))
      }
    }
    const onExit = (code: number | null, signal: string | null) =>
      settle(() => reject(new Error(`the child ended while loading the processor (${ending(code, signal)})`)))
    const timer = setTimeout(
      () => settle(() => reject(new Error(`the processor was not loaded within ${deadlineMs / 1000} s`))),
      deadlineMs,
    )
    child.on('message', onMessage)
    child.on('exit', onExit)
    void child.send({ cmd: 0, value } satisfies InitMessage)
  })
}

export function ending(code: number | null, signal: string | null): string {
  return signal ? `signal ${signal}` : `exit code ${code}`
}
