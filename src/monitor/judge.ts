import type { RunState } from '../redis/monitor-scripts.js'

/** A run as the monitor finds it. Times are Unix ms by Redis's clock. */
export interface JudgedRun extends RunState {
  /** When its next heartbeat is overdue; null: none is expected. */
  dueMs: number | null
}

/**
 * `alive`: not overdue. `late`: overdue, but everybody is, since Redis stood still. `disappeared`: overdue and not told yet. `wedged`: told
 * long ago, and its node still holds it: it must be ended. `gone`: told, and nobody holds it any more. `stray`: it
 * ended, and only a heartbeat that came late makes it look alive. `ended`: no heartbeat is expected.
 */
export type Verdict = 'alive' | 'late' | 'disappeared' | 'wedged' | 'gone' | 'stray' | 'ended'

/** @param graceUntilMs until then nobody is overdue */
export function judge(run: JudgedRun, nowMs: number, graceUntilMs = 0): Verdict {
  if (run.dueMs === null) return 'ended'
  if (run.dueMs > nowMs) return 'alive'
  if (!expectedToBeat(run)) return 'stray'
  if (nowMs < graceUntilMs) return 'late'
  if (run.status !== 'disappeared') return 'disappeared'
  return run.running && run.lockHeld ? 'wedged' : 'gone'
}

/** Between its ticks a repeatable worker does not run, but its next tick is expected for as long as it is wanted. */
function expectedToBeat({ status, running, repeatable, wanted }: JudgedRun): boolean {
  if (status !== 'init' && status !== 'started' && status !== 'disappeared') return false
  return running || status === 'disappeared' || (repeatable && wanted)
}

/**
 * How long after it disappeared a run is looked at again, ms: with the interval and the second that made it overdue a
 * worker that beats every second is ended after five seconds of silence.
 */
export const againAfterMs = (intervalMs: number): number => Math.max(3000, 2 * intervalMs)

/** Why it counts as disappeared, for people. */
export function silence(run: JudgedRun, nowMs: number): string {
  const since = (from: number) => `${((nowMs - from) / 1000).toFixed(1)} s`
  if (run.repeatable && !run.running) return `no tick, and no heartbeat for ${since(run.heartBeatMs ?? nowMs)}`
  return `no heartbeat for ${since(run.heartBeatMs ?? run.dueMs ?? nowMs)}`
}
