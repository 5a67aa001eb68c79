import { type Fleet, isBroken, type PageWorker } from './fleet.js'
import { clean, count, rate } from './format.js'
import { isExpected, meaningOf } from './state.js'

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
  nickname?: string
}

/** s a worker may wait for a node before that is a problem. */
const QUEUED_S = 5
/** s after which a node that is gone is told of no more. */
const FORGET_S = 3600
/** Restarts after which one more is not likely to help. */
const OFTEN = 3
/** ms after which lost messages are no news any more; the table still shows them. */
const LOST_MS = 10 * 60_000

/** All that is wrong, gravest first; nothing when all is well. */
export function problemsOf(fleet: Fleet, nowMs = Date.now()): Problem[] {
  const { workers, nodes, gone, types, known } = fleet
  if (!known) return []
  const found = [...workers.values()].flatMap((worker) => problemsOfWorker(worker, nowMs))
  if (nodes.length === 0) {
    found.push({
      ...{ id: 'nodes', grave: true, title: 'No node is up', cause: 'Nothing can run.', since: null },
      next: 'Start one with “hysas up”; what is wanted then comes back by itself.',
    })
  }
  for (const { name, host, workers, heart_beat, age } of gone) {
    const hosted =
      workers === 0 ? 'It hosted no worker.' : `It hosted ${count(workers)} ${workers === 1 ? 'worker' : 'workers'}.`
    const others = workers === 0 ? '' : 'Its workers begin anew on other nodes by themselves. '
    found.push({
      ...{ id: `gone ${name}`, grave: true, title: `The node ${clean(name)} is gone`, since: heart_beat * 1000 },
      cause: `Nothing was heard of it on ${clean(host)} since, and it has not said that it ends. ${hosted}`,
      next: `${others}See to the host, and start it again; ${age > FORGET_S / 2 ? 'soon' : 'after an hour'} it is forgotten.`,
    })
  }
  const told = new Map<string, { names: string[]; since: number | null }>()
  for (const { name, problems, problems_since } of nodes) {
    for (const one of problems) {
      const { names, since } = told.get(one) ?? { names: [], since: null }
      told.set(one, { names: [...names, name], since: earliest(since, msOf(problems_since[one] ?? null)) })
    }
  }
  for (const [problem, { names, since }] of told) {
    const away = /event store/i.test(problem)
    found.push({
      ...{ id: `node ${problem}`, grave: true, since },
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
      ...{ cause: clean(cause), since: msOf(type.error_since) },
      next: `${good}Mend its file; it is read again as soon as it is saved.`,
    })
  }
  return found.sort((a, b) => Number(b.grave) - Number(a.grave) || a.id.localeCompare(b.id))
}

export const isTroubled = (worker: PageWorker): boolean => problemsOfWorker(worker, Date.now()).length > 0

function problemsOfWorker(worker: PageWorker, nowMs: number): Problem[] {
  const problem = problemOf(worker, nowMs)
  const lost = lossOf(worker, nowMs)
  const dropped = dropsOf(worker, nowMs)
  return [problem, lost, dropped].filter((one) => one !== undefined)
}

function problemOf(worker: PageWorker, nowMs: number): Problem | undefined {
  const { nickname, status, wanted } = worker
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
  if (!isExpected(worker)) return undefined
  const silent = silenceOf(worker, nowMs)
  if (silent) return { ...about, ...silent }
  if (status === 'restarting') {
    const inS = worker.next_start_at === null ? 0 : worker.next_start_at - nowMs / 1000
    const when = inS > 1 ? ` in ${Math.round(inS)} s` : ''
    const often = worker.restarts > OFTEN ? ' It will hardly help: mend the cause, or stop it.' : ''
    const next = `It starts again by itself${when}.${often}`
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

/** Of one that is not heard of as it should be. */
function silenceOf(worker: PageWorker, nowMs: number): Omit<Problem, 'id'> | undefined {
  const { nickname, status, node, life, foreign, age, beatAt } = worker
  const since = age === null || beatAt === null ? null : nowMs - (performance.now() - beatAt)
  if (status === 'disappeared' && foreign) {
    const cause = `A worker of the Python HySAS; no heartbeat from process ${worker.pid ?? 'unknown'}.`
    const next = 'It is not ours to start: look at the Python HySAS that runs it.'
    return { grave: true, title: `${nickname} has disappeared`, cause, next, since }
  }
  const meaning = life === 'busy' ? undefined : meaningOf(worker)
  if (meaning && (status === 'started' || status === 'init' || status === 'disappeared'))
    return { grave: true, title: `${nickname} ${titleOf(worker)}`, since, ...cleaned(meaning) }
  if (status !== 'disappeared') return undefined
  const next = 'It comes back by itself as soon as a node can run it.'
  return {
    grave: true,
    title: `${nickname} has disappeared`,
    cause: `No heartbeat from ${clean(node) || 'its node'}.`,
    next,
    since,
  }
}

function titleOf({ status, life }: PageWorker): string {
  if (status === 'disappeared') return 'has disappeared'
  return life === 'cut off' ? 'is cut off' : life === 'dead' ? 'is dead' : 'does not react'
}

const cleaned = ({ cause, next }: { cause: string; next: string }) => ({ cause: clean(cause), next: clean(next) })

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

function dropsOf(worker: PageWorker, nowMs: number): Problem | undefined {
  const { nickname, dropped, droppedAt, rate_in } = worker
  if (droppedAt === null || nowMs - droppedAt > LOST_MS) return undefined
  return {
    ...{ id: `worker ${nickname} dropped`, nickname, grave: false, since: null },
    title: `${nickname} has dropped ${count(dropped)} ${dropped === 1 ? 'message' : 'messages'}`,
    cause: `They came faster than it takes them (${rate(rate_in)}/s).`,
    next: 'It goes on with those that come: make it quicker, share its work among several, or send it less.',
  }
}

const msOf = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1000)

const earliest = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.min(a, b)

function listOf(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} more` : names.join(', ')
}
