/** setTimeout fires at once for anything longer. */
const LONGEST_MS = 2 ** 31 - 1

/** Resolves after `ms`, or as soon as the signal aborts. Never rejects. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    let left = Number.isNaN(ms) ? 0 : ms
    let timer: NodeJS.Timeout
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const next = () => {
      const part = Math.min(left, LONGEST_MS)
      left -= part
      timer = setTimeout(left > 0 ? next : done, part)
    }
    signal.addEventListener('abort', done)
    next()
  })
}
