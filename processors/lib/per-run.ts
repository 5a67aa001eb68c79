import type { Context } from 'hysas'

type Run = Pick<Context, 'signal' | 'nickname'>

export interface PerRun<T> {
  set(run: Run, value: T): T
  find(run: Run): T | undefined
  /** @throws Error where the run has not begun, or has ended */
  get(run: Run): T
  end(run: Run): T | undefined
}

/**
 * Holds what the hooks of one run share. A module's variables would not do: with `isolation: shared` many workers of a
 * type live in one child, and so in one copy of the module. The signal is what each run has for itself.
 */
export function perRun<T>(): PerRun<T> {
  const values = new WeakMap<AbortSignal, T>()
  return {
    set(run, value) {
      values.set(run.signal, value)
      return value
    },
    find: (run) => values.get(run.signal),
    get(run) {
      const value = values.get(run.signal)
      if (value === undefined) throw new Error(`The run of ${run.nickname} is not under way.`)
      return value
    },
    end(run) {
      const value = values.get(run.signal)
      values.delete(run.signal)
      return value
    },
  }
}
