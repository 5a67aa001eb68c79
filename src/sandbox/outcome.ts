import type { RunResult } from '../protocol.js'
import type { FinishHow } from '../redis/run-scripts.js'
import type { Reason } from './ending.js'

/** How a run ends that was asked to, by reason. The others (`error`, `signal`, `stale`) are not the child's to write. */
export const OUTCOMES: Partial<Record<Reason, { how: FinishHow & RunResult['how']; stopInfo: string }>> = {
  stop: { how: 'stopped', stopInfo: 'stopped by command' },
  restart: { how: 'restarted', stopInfo: 'restarted by command' },
  handover: { how: 'handover', stopInfo: 'handed over: its node is ending' },
  shutdown: { how: 'shutdown', stopInfo: 'its node was shut down' },
  done: { how: 'done', stopInfo: 'work done' },
}

/** Of a run that the child ends, nothing is restarted by this. */
export const NO_RESTART = { minDelayMs: 1000, maxDelayMs: 30_000, healthyAfterMs: 60_000, giveUpAfter: null }
