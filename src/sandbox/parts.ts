import type { Ending } from './ending.js'
import type { RunState } from './state.js'

export interface Parts {
  /**
   * Runs one hook of the worker and shows it in `threads`. Never rejects: what it throws ends the run.
   * @returns whether it returned without an error
   */
  run(name: string, work: () => unknown): Promise<boolean>
  /** Resolves when no hook is at work. */
  settled(): Promise<void>
  /** Names of the hooks at work. */
  running(): string[]
}

export function createParts(state: RunState, ending: Ending): Parts {
  const working = new Map<string, Promise<boolean>>()

  const runPart = async (name: string, work: () => unknown): Promise<boolean> => {
    state.threads[name] = 'running'
    try {
      await work()
      state.threads[name] = 'done'
      return true
    } catch (thrown) {
      // After the end was asked for, an error is most often what the hook awaited, cut short by the signal.
      const cutShort = ending.signal.aborted
      state.threads[name] = cutShort ? 'done' : 'failed'
      if (!cutShort) ending.end('error', thrown)
      return false
    } finally {
      working.delete(name)
    }
  }

  return {
    run(name, work) {
      const part = runPart(name, work)
      if (state.threads[name] === 'running') working.set(name, part)
      return part
    },
    async settled() {
      await Promise.all(working.values())
    },
    running: () => [...working.keys()],
  }
}
