import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Every process started in the test run inherits this variable, and so can be found after it, however deep. */
export const MARK = 'HYSAS_TEST_RUN'

/**
 * Waits until no process of the test run is left but this one and its ancestors and vitest's own; what is left after
 * `patienceMs` is killed and returned, as `pid command`. Needs /proc: elsewhere it finds nothing.
 */
export async function leakedProcesses(mark: string, patienceMs = 5000): Promise<string[]> {
  const end = Date.now() + patienceMs
  let left = marked(mark)
  while (left.length && Date.now() < end) {
    await sleep(100)
    left = marked(mark)
  }
  for (const { pid } of left) process.kill(pid, 'SIGKILL')
  return left.map(({ pid, command }) => `${pid} ${command}`)
}

function marked(mark: string): { pid: number; command: string }[] {
  const needle = `${MARK}=${mark}\0`
  return pids()
    .filter((pid) => pid !== process.pid && `${read(`/proc/${pid}/environ`)}\0`.includes(needle))
    .map((pid) => ({ pid, command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }))
    .filter(({ command }) => command !== '' && !/vitest|esbuild --service/.test(command.slice(0, 300)))
}

function pids(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
