import type { PageWorker } from './fleet.js'

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
