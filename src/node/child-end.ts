import type { ChildProcess } from 'node:child_process'

/** What a process said last may still be on its way when it has ended; longer it is not waited for, ms. */
const LAST_WORDS_MS = 300

/**
 * Calls `ended` once: when a child that leads a process group has ended and all that it has said is read, or a moment
 * later where a process that it started, in a group of its own, holds its output open. What is left of its group is
 * killed. A child that could not be started has ended, too, by a code below 0.
 */
export function onceEnded(
  child: ChildProcess,
  ended: (code: number | null, signal: NodeJS.Signals | null) => void,
): void {
  let timer: NodeJS.Timeout | undefined
  let over = false
  const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
    if (over) return
    over = true
    clearTimeout(timer)
    ended(code, signal)
  }
  child.once('exit', (code, signal) => {
    killGroup(child)
    // after a pause of this process what has come meanwhile is read first
    timer = setTimeout(() => setImmediate(finish, code, signal), LAST_WORDS_MS)
  })
  child.once('close', finish)
  child.on('error', () => {
    if (child.pid === undefined) finish(-1, null)
  })
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // nothing is left of it
  }
}
