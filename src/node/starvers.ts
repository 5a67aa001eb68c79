import type { Logger } from '../log.js'
import type { Blocking } from '../protocol.js'
import type { StoredEvent } from '../store/types.js'
import type { Run } from './run.js'

/** So often, within so long, a worker must be found to keep its common child's event loop, and in most of the cases. */
const TIMES = 3
const WITHIN_MS = 60_000
const MOST = 0.6

/**
 * Names workers that starve their neighbours in a common child: again and again it was their code that kept the event
 * loop from turning. A single time may be chance.
 */
export function createStarvers(of: {
  log: Logger
  record(event: Partial<StoredEvent> & { kind: string }): void
  /** From its next start on, it has a process of its own. */
  separate(run: Run, why: string): void
}) {
  let samples: { pid: number; run: Run | undefined; at: number; ms: number }[] = []
  const named = new WeakSet<Run>()

  return function starved({ ms, stack }: Blocking, pid: number, run: Run | undefined): void {
    const now = performance.now()
    samples = samples.filter(({ at }) => now - at < WITHIN_MS)
    samples.push({ pid, run, at: now, ms })
    if (!run || named.has(run)) return
    const here = samples.filter((sample) => sample.pid === pid)
    const its = here.filter((sample) => sample.run === run)
    if (its.length < TIMES || its.length < MOST * here.length) return
    named.add(run)
    const { nickname, type } = run
    const longest = Math.max(...its.map((sample) => sample.ms))
    const message = `${nickname} keeps its neighbours waiting: ${its.length} times in a minute its code held up the event loop it shares, up to ${longest} ms; from its next start on it has a process of its own`
    of.log.warn({ nickname, type, stack }, message)
    of.record({
      kind: 'starves',
      severity: 'warning',
      nickname,
      type,
      epoch: run.claimed?.epoch ?? null,
      message,
      data: { pid, times: its.length, longestMs: longest, stack },
    })
    of.separate(run, 'it held up the event loop that it shared')
  }
}
