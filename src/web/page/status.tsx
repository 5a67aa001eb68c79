import { type PageWorker, shownAt } from './fleet.js'
import { span } from './format.js'
import { useSeconds } from './now.js'

const LOOKS = { started: 'good', init: 'busy', queued: 'busy', restarting: 'warn', failed: 'bad', disappeared: 'bad' }

/** How it looks: `good`, `busy`, `warn`, `bad` or `off`. */
export function lookOf({ status, wanted, life }: PageWorker): string {
  if (!wanted) return status === 'failed' ? 'bad' : 'off'
  if (status === 'started' && (life === 'wedged' || life === 'cut off' || life === 'dead')) return 'bad'
  if (status === 'started' && life === 'busy') return 'warn'
  return LOOKS[status as keyof typeof LOOKS] ?? 'off'
}

/** The word for its state that rows, filters and the graph show. */
export function stateOf({ status, wanted, life }: PageWorker): string {
  if (!wanted || status !== 'started') return status
  return life === 'ok' || !life ? 'running' : life
}

export const Status = ({ worker }: { worker: PageWorker }) => (
  <span class={`status ${lookOf(worker)}`}>
    <span class="dot" aria-hidden="true" /> {stateOf(worker)}
  </span>
)

/** Counts on between two heartbeats. A repeatable worker beats by its ticks, which may be far apart. */
export function Age({ worker }: { worker: PageWorker }) {
  useSeconds()
  if (worker.beatAt === null || !worker.wanted) return <>–</>
  const seconds = Math.max(0, shownAt() - worker.beatAt) / 1000
  const late = worker.kind !== 'repeatable' && seconds > (worker.heart_beat_interval ?? 1) + 1
  return <span class={late ? 'late' : ''}>{span(seconds)}</span>
}
