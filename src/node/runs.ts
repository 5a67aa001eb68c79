import type { Run } from './run.js'

export type Runs = ReturnType<typeof createRuns>

/** The runs of a node. With thousands of them nothing may look through all for one. */
export function createRuns() {
  const all = new Set<Run>()
  const byNickname = new Map<string, Set<Run>>()
  let ticks = 0
  const isTick = (run: Run): boolean => run.entry.manifest?.kind === 'repeatable'

  return {
    all: (): readonly Run[] => [...all],
    size: (): number => all.size,
    /** Those of long-running workers. */
    longRunning: (): number => all.size - ticks,
    has(type: string, nickname: string): boolean {
      for (const run of byNickname.get(nickname) ?? []) if (run.type === type) return true
      return false
    },
    ofNickname: (nickname: string): readonly Run[] => [...(byNickname.get(nickname) ?? [])],

    add(run: Run): void {
      all.add(run)
      if (isTick(run)) ticks++
      const same = byNickname.get(run.nickname)
      if (same) same.add(run)
      else byNickname.set(run.nickname, new Set([run]))
    },

    delete(run: Run): void {
      if (!all.delete(run)) return
      if (isTick(run)) ticks--
      const same = byNickname.get(run.nickname)
      same?.delete(run)
      if (same?.size === 0) byNickname.delete(run.nickname)
    },
  }
}
