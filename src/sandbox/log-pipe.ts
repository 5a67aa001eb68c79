import { writeSync } from 'node:fs'

/** A longer line is cut: its fields are left out and said to be. */
const LONGEST_LINE = 256 * 1024
/** How long a full pipe is waited for, in all, before a line is given up. */
const PATIENCE_MS = 1000

/**
 * Writes log lines to a file descriptor, each at once and whole, so that none is lost when the process dies. Where the
 * descriptor isn't open (a child started by hand), standard error takes its place.
 */
export function logPipe(fd: number): { write(line: string): void } {
  let target = fd
  let lost = 0
  return {
    write(line) {
      const outcome = writeAll(target, line.length > LONGEST_LINE ? shortened(line) : line)
      if (outcome === 'full') lost++
      if (outcome === 'bad' && target !== 2) {
        target = 2
        writeAll(2, line)
      }
      if (outcome === 'written' && lost) {
        const msg = `${lost} log lines were lost: nobody read them`
        lost = 0
        writeAll(target, `${JSON.stringify({ level: 40, time: Date.now(), msg })}\n`)
      }
    },
  }
}

function writeAll(fd: number, text: string): 'written' | 'full' | 'bad' | 'closed' {
  let rest = Buffer.from(text)
  const until = performance.now() + PATIENCE_MS
  while (rest.length) {
    try {
      rest = rest.subarray(writeSync(fd, rest))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') return 'closed' // the node is gone, and this process will be at once
      if (code !== 'EAGAIN') return 'bad'
      if (performance.now() > until) return 'full'
      Atomics.wait(PAUSE, 0, 0, 2)
    }
  }
  return 'written'
}

const PAUSE = new Int32Array(new SharedArrayBuffer(4))

function shortened(line: string): string {
  const [head = ''] = /^\d+ [a-z] /.exec(line) ?? [] // of a common child
  if (head && !head.endsWith('l ')) return `${line.slice(0, LONGEST_LINE)}…\n`
  const { level, time, type, nickname, epoch, msg } = JSON.parse(line.slice(head.length)) as Record<string, unknown>
  const short = { level, time, type, nickname, epoch, msg: String(msg ?? '').slice(0, 4096), cutFromBytes: line.length }
  return `${head}${JSON.stringify(short)}\n`
}
