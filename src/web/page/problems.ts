import { type Fleet, isBroken, type PageWorker } from './fleet.js'
import { clean, count, rate } from './format.js'

export interface Problem {
  /** Same for the same problem, for as long as it lasts. */
  id: string
  grave: boolean
  title: string
  cause: string
  /** What happens by itself, or must be done by hand. */
  next: string
  /** Unix ms; null where nobody knows. */
  since: number | null
  /** Since this page was opened, or longer. */
  atLeast?: boolean
  nickname?: string
}

/** s a worker may wait for a node before that is a problem. */
const QUEUED_S = 5
/** ms after which lost messages are no news any more; the table still shows them. */
const LOST_MS = 10 * 60_000

/** All that is wrong, gravest first; nothing when all is well. */
export function problemsOf(fleet: Fleet, nowMs = Date.now()): Problem[] {
  const { workers, nodes, types, link, problemsSince } = fleet
  if (link === 'connecting') return []
  const found = [...workers.values()].flatMap((worker) => problemsOfWorker(worker, nowMs))
  if (nodes.length === 0) {
    found.push({
      ...{ id: 'nodes', grave: true, title: 'No node is up', cause: 'Nothing can run.', since: null },
      next: 'Start one with “hysas up”; what is wanted then comes back by itself.',
    })
  }
  const told = new Map<string, string[]>()
  for (const { name, problems } of nodes) for (const one of problems) told.set(one, [...(told.get(one) ?? []), name])
  for (const [problem, names] of told) {
    const away = /event store/i.test(problem)
    found.push({
      ...{ id: `node ${problem}`, grave: true, since: problemsSince.get(problem) ?? null, atLeast: true },
      title: away ? 'The event store is away' : `Trouble around ${listOf(names)}`,
      cause: clean(problem),
      next: away
        ? 'Workers run on; what happens is kept in Redis and written by itself once the store is back.'
        : 'It is tried again all the time, and goes on by itself once that is mended.',
    })
  }
  for (const type of types.filter(isBroken)) {
    const cause = type.error || type.nodes.find(({ error }) => error)?.error || ''
    const good = type.version ? 'The last good version stays in force. ' : 'No worker of it can start. '
    found.push({
      ...{ id: `type ${type.type}`, grave: false, title: `The processor ${type.type} can not be loaded` },
      ...{ cause: clean(cause), since: problemsSince.get(`type ${type.type}`) ?? null, atLeast: true },
      next: `${good}Mend its file; it is read again as soon as it is saved.`,
    })
  }
  return found.sort((a, b) => Number(b.grave) - Number(a.grave) || a.id.localeCompare(b.id))
}

export const isTroubled = (worker: PageWorker): boolean => problemsOfWorker(worker, Date.now()).length > 0

function problemsOfWorker(worker: PageWorker, nowMs: number): Problem[] {
  const problem = problemOf(worker, nowMs)
  const lost = lossOf(worker, nowMs)
  return [...(problem ? [problem] : []), ...(lost ? [lost] : [])]
}

function problemOf(worker: PageWorker, nowMs: number): Problem | undefined {
  const { nickname, status, wanted, node, life } = worker
  const about = { id: `worker ${nickname}`, nickname }
  const cause = clean(worker.error_msg || worker.stop_info).split('\n')[0] || 'No reason is known.'
  const ended = msOf(worker.stop_time)
  if (status === 'failed') {
    const title = `${nickname} has failed`
    const next = wanted
      ? 'It has been given up; mend the cause and restart it by hand.'
      : 'It is not tried again; mend the cause and start it by hand.'
    return { ...about, grave: true, title, cause, next, since: ended }
  }
  if (!wanted) return undefined
  if (status === 'disappeared') {
    const title = `${nickname} has disappeared`
    const next = 'It comes back by itself as soon as a node can run it.'
    const since =
      worker.age === null || worker.beatAt === null ? null : Date.now() - (performance.now() - worker.beatAt)
    return { ...about, grave: true, title, cause: `No heartbeat from ${node || 'its node'}.`, next, since }
  }
  if (status === 'started' && life === 'wedged') {
    const title = `${nickname} does not react`
    const next = 'Its node ends it and starts it again by itself.'
    return { ...about, grave: true, title, cause: 'It beats no more, though its process is there.', next, since: null }
  }
  if (status === 'restarting') {
    const inS = worker.next_start_at === null ? 0 : worker.next_start_at - nowMs / 1000
    const next = inS > 1 ? `It starts again by itself in ${Math.round(inS)} s.` : 'It starts again by itself.'
    const again = worker.restarts > 1 ? ` (restarted ${count(worker.restarts)} times)` : ''
    return { ...about, grave: false, title: `${nickname} is restarting`, cause: cause + again, next, since: ended }
  }
  const waits = worker.since !== null && nowMs / 1000 - worker.since
  if (status === 'queued' && waits && waits > QUEUED_S) {
    const title = `${nickname} waits for a node`
    const next = 'It starts by itself as soon as a node with its processor has room.'
    return { ...about, grave: false, title, cause: 'No node has taken it.', next, since: msOf(worker.since) }
  }
  return undefined
}

function lossOf(worker: PageWorker, nowMs: number): Problem | undefined {
  const { nickname, lost, lostAt, lost_by } = worker
  if (lostAt === null || nowMs - lostAt > LOST_MS) return undefined
  const channels = Object.keys(lost_by ?? {}).map(clean)
  return {
    ...{ id: `worker ${nickname} lost`, nickname, grave: false, since: lostAt },
    title: `${nickname} has lost ${count(lost)} ${lost === 1 ? 'message' : 'messages'}`,
    cause: `They were published${channels.length ? ` on ${listOf(channels)}` : ''} and never reached it (${rate(worker.rate_in)}/s do now).`,
    next: 'Its subscription comes back by itself, but what is lost does not: see whether it is too slow or its line was cut.',
  }
}

const msOf = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1000)

function listOf(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} more` : names.join(', ')
}
