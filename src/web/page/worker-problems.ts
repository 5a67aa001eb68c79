import type { PageWorker } from './fleet.js'
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
/** Restarts after which one more is not likely to help. */
const OFTEN = 3
/** ms after which lost messages are no news any more; the table still shows them. */
const LOST_MS = 10 * 60_000

export const isTroubled = (worker: PageWorker): boolean => problemsOfWorker(worker, Date.now()).length > 0

/** What is wrong with one worker; nothing when all is well. */
export function problemsOfWorker(worker: PageWorker, nowMs: number): Problem[] {
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
  const silent = silenceOf(worker)
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
  const rests = worker.next_tick !== null && worker.next_tick > nowMs / 1000 // by the calendar
  if (status === 'queued' && !rests && waits && waits > QUEUED_S) {
    const title = `${nickname} waits for a node`
    const next = 'It starts by itself as soon as a node with its processor has room.'
    return { ...about, grave: false, title, cause: 'No node has taken it.', next, since: msOf(worker.since) }
  }
  return undefined
}

/** Of one that is not heard of as it should be. */
function silenceOf(worker: PageWorker): Omit<Problem, 'id'> | undefined {
  const { nickname, status, node, life, foreign, beatTime: since } = worker
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

/** Of Unix seconds. */
export const msOf = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1000)

/** So that many are still read. */
export function listOf(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} more` : names.join(', ')
}
