/**
 * Makes a call that runs `work` once within `ms` however often it is asked, never twice at a time, and not after the
 * signal. Asked while it runs, it runs once more. `work` must not throw.
 */
export function soon(ms: number, work: () => Promise<void>, signal: AbortSignal): () => void {
  let timer: NodeJS.Timeout | undefined
  let busy = false
  let again = false
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true })

  const run = async () => {
    busy = true
    await work()
    busy = false
    timer = undefined
    if (again) ask()
  }
  const ask = () => {
    if (signal.aborted) return
    again = busy
    if (!busy) timer ??= setTimeout(run, ms)
  }
  return ask
}

/** Resolves after `ms`, or with the signal. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}

/** One run of `work` in `ms`; who asks meanwhile gets the same result. */
export function atMostEvery<T>(ms: number, work: () => Promise<T>): () => Promise<T> {
  let last: { at: number; run: Promise<T> } | undefined
  return () => {
    if (!last || performance.now() - last.at > ms) last = { at: performance.now(), run: work() }
    return last.run
  }
}
