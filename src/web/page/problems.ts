import { type Fleet, type PageWorker, shownAt } from './fleet.js'
import { clean, span } from './format.js'

export interface Problem {
  /** Same for the same problem, for as long as it lasts. */
  id: string
  grave: boolean
  title: string
  cause: string
  /** What happens by itself, or must be done by hand. */
  next: string
  nickname?: string
}

/** ms a worker may wait for a node before that is a problem. */
const QUEUED_S = 5

/** All that is wrong, gravest first; nothing when all is well. */
export function problemsOf({ workers, nodes, types, link }: Fleet, nowS = Date.now() / 1000): Problem[] {
  if (link === 'connecting') return []
  const found = [...workers.values()].flatMap((worker) => problemOf(worker, nowS))
  if (nodes.length === 0) {
    found.push({
      ...{ id: 'nodes', grave: true, title: 'No node is up', cause: 'Nothing can run.' },
      next: 'Start one with "hysas up".',
    })
  }
  for (const { type, error, version, nodes: on } of types) {
    const cause = error || on.find(({ error }) => error)?.error
    if (!cause) continue
    const next = version ? 'The last good version stays in force. ' : ''
    found.push({
      ...{ id: `type ${type}`, grave: false, title: `The processor ${type} can not be loaded`, cause: clean(cause) },
      next: `${next}Mend its file; it is read again as soon as it is saved.`,
    })
  }
  return found.sort((a, b) => Number(b.grave) - Number(a.grave) || a.id.localeCompare(b.id))
}

export const isTroubled = (worker: PageWorker): boolean => problemOf(worker, Date.now() / 1000).length > 0

function problemOf(worker: PageWorker, nowS: number): Problem[] {
  const { nickname, status, wanted, node } = worker
  if (!wanted) return []
  const id = `worker ${nickname}`
  const cause = clean(worker.error_msg || worker.stop_info).split('\n')[0] || 'No reason is known.'
  if (status === 'failed') {
    const title = `${nickname} has failed`
    return [{ id, nickname, grave: true, title, cause, next: 'It has been given up; restart it by hand.' }]
  }
  if (status === 'disappeared') {
    const since = worker.beatAt === null ? '' : ` for ${span((shownAt() - worker.beatAt) / 1000)}`
    const title = `${nickname} has disappeared`
    const next = 'It comes back by itself as soon as a node can run it.'
    return [{ id, nickname, grave: true, title, cause: `No heartbeat${since} from ${node || 'its node'}.`, next }]
  }
  if (status === 'restarting') {
    const inS = worker.next_start_at === null ? 0 : worker.next_start_at - nowS
    const next = inS > 0 ? `It starts again by itself in ${span(inS)}.` : 'It starts again by itself.'
    return [{ id, nickname, grave: false, title: `${nickname} is restarting`, cause, next }]
  }
  if (status === 'queued' && worker.since !== null && nowS - worker.since > QUEUED_S) {
    const title = `${nickname} waits for a node`
    const next = 'It starts as soon as a node with its processor has room.'
    return [
      { id, nickname, grave: false, title, cause: `No node has taken it for ${span(nowS - worker.since)}.`, next },
    ]
  }
  return []
}
