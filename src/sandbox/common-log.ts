import type { LogLevel } from '../contract.js'
import { createLog, type Logger } from '../log.js'
import type { CommonLine } from '../protocol.js'

/**
 * The log of a common child: one pino for all its workers, since each costs 50 KB; and each line carries the number of
 * its virtual child, so that the node knows whose it is.
 */
export function createCommonLog(pipe: { write(line: string): void }) {
  const numbers = new WeakMap<object, number>()
  // pino leaves there which logger has written
  const destination = {
    [Symbol.for('pino.metadata')]: true,
    lastLogger: {} as object,
    write(line: string) {
      pipe.write(`${numbers.get(destination.lastLogger) ?? 0} l ${line}`)
    },
  }
  const root = createLog({}, 'trace', destination)
  return {
    open(n: number, base: Record<string, unknown>, level: LogLevel): Logger {
      const log = root.child(base, { level })
      numbers.set(log, n)
      return log
    },
    /** One line, without its end. */
    line: (n: number, kind: CommonLine, text: string): void => pipe.write(`${n} ${kind} ${text}\n`),
  }
}
