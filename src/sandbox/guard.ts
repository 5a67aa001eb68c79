import type { CommonLine } from '../protocol.js'
import { type Inhabitant, whose } from './whose.js'

/** Unwinds the stack of a worker that called `process.exit`, which never returns. */
class Exit extends Error {}

/**
 * What a worker of a common child does to the whole process is made its own: `process.exit`, `abort` and `kill` of itself
 * end its run alone, and what it prints is told as its.
 */
export function guardProcess(of: {
  exit: (code?: number | string | null) => never
  line: (n: number, kind: CommonLine, text: string) => void
  onExit: (one: Inhabitant, thrown: Error) => void
}): void {
  const leave = (what: string, otherwise: () => never): never => {
    const one = whose()
    if (!one) return otherwise()
    const thrown = new Exit(what)
    of.onExit(one, thrown)
    throw thrown
  }
  process.exit = (code) =>
    leave(`it called process.exit: exit code ${code ?? process.exitCode ?? 0}`, () => of.exit(code))
  const { abort } = process
  process.abort = () => leave('it called process.abort', () => abort.call(process) as never)
  const { kill } = process
  process.kill = (pid, signal) =>
    pid === process.pid && signal !== 0 && whose()
      ? leave(`it killed its process: ${signal ?? 'SIGTERM'}`, () => kill.call(process, pid, signal) as never)
      : kill.call(process, pid, signal)
  attribute(process.stdout, 'o', of.line)
  attribute(process.stderr, 'e', of.line)
}

const PARTIAL_LIMIT = 64 * 1024

function attribute(
  stream: NodeJS.WriteStream,
  kind: CommonLine,
  line: (n: number, kind: CommonLine, text: string) => void,
): void {
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
  /** What has no end of line yet. */
  const partial = new WeakMap<Inhabitant, string>()
  stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
    const one = whose()
    if (!one) return write(chunk, ...rest)
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    const lines = ((partial.get(one) ?? '') + text).split('\n')
    let last = lines.pop() ?? ''
    if (last.length > PARTIAL_LIMIT) {
      lines.push(last)
      last = ''
    }
    if (last) partial.set(one, last)
    else partial.delete(one)
    for (const text of lines) line(one.n, kind, text)
    const done = rest.find((one) => typeof one === 'function') as (() => void) | undefined
    if (done) process.nextTick(done)
    return true
  }) as typeof stream.write
}
