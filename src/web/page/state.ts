import type { PageWorker } from './fleet.js'

const LOOKS = { started: 'good', init: 'busy', queued: 'busy', restarting: 'warn', failed: 'bad', disappeared: 'bad' }

/** Is it meant to live? Nobody has told us of a worker of the Python HySAS, so there its own word counts. */
export function isExpected({ wanted, foreign, status }: PageWorker): boolean {
  return wanted || (foreign && (status === 'started' || status === 'init' || status === 'disappeared'))
}

/** How it looks: `good`, `busy`, `warn`, `bad` or `off`. */
export function lookOf(worker: PageWorker): string {
  const { status, life } = worker
  if (!isExpected(worker)) return status === 'failed' ? 'bad' : 'off'
  if (status === 'started' && (life === 'wedged' || life === 'cut off' || life === 'dead')) return 'bad'
  if (status === 'started' && life === 'busy') return 'warn'
  return LOOKS[status as keyof typeof LOOKS] ?? 'off'
}

/** The word for its state that rows, filters and the graph show. */
export function stateOf(worker: PageWorker): string {
  const { status, life } = worker
  if (!isExpected(worker)) return status
  if (status !== 'started') return status
  return life === 'ok' || !life ? 'running' : life
}

/** What its signs of life mean and what happens next; empty where there is nothing to say. */
export function meaningOf({ life, node, foreign }: PageWorker): { cause: string; next: string } | undefined {
  const where = node ? `its node ${node}` : 'its node'
  if (foreign) return undefined
  if (life === 'busy')
    return {
      cause: 'Its event loop is late, or it has missed a beat: it may be computing.',
      next: `It is left alone. Silent for 7.5 s, it is ended by ${where} and starts again by itself.`,
    }
  if (life === 'wedged')
    return {
      cause: `It beats no more, though ${where} is up.`,
      next: 'Its node ends the process, and it starts again by itself.',
    }
  if (life === 'cut off')
    return {
      cause: `Nothing is heard of ${where}: it froze, or lost its way to Redis.`,
      next: 'It goes on if the node is back within 3 s; else it falls silent and begins anew on another node by itself.',
    }
  if (life === 'dead')
    return {
      cause: `Neither it nor ${where} has been heard of for longer than a lock lasts.`,
      next: 'It begins anew by itself as soon as a node with its processor has room.',
    }
  return undefined
}
