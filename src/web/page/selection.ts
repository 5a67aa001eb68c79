import type { PageWorker } from './fleet.js'
import { isExpected, stateOf } from './state.js'
import { isTroubled } from './worker-problems.js'

/** What the address says of the list of workers. */
export interface Selection {
  q: string
  type: string
  node: string
  status: string
  sort: string
  desc: boolean
}

export function selectionOf(query: URLSearchParams): Selection {
  const get = (key: string) => query.get(key) ?? ''
  const sort = get('sort')
  return {
    ...{ q: get('q'), type: get('type'), node: get('node'), status: get('status') },
    ...{ sort: sort.replace(/^-/, ''), desc: sort.startsWith('-') },
  }
}

/** The workers that fit, sorted: by default those in trouble first, those that rest last. */
export function select(workers: readonly PageWorker[], of: Selection): PageWorker[] {
  const words = of.q.toLowerCase().split(/\s+/).filter(Boolean)
  const fits = (worker: PageWorker): boolean => {
    if (of.type && worker.type !== of.type) return false
    if (of.node && worker.node !== of.node) return false
    if (of.status && stateOf(worker) !== of.status) return false
    const text = `${worker.nickname} ${worker.type} ${worker.node} ${stateOf(worker)}`.toLowerCase()
    return words.every((word) => text.includes(word))
  }
  const found = workers.filter(fits).map((worker) => ({ worker, urgency: urgencyOf(worker) }))
  const key = SORTS[of.sort]
  return found
    .sort((a, b) => {
      const order = key ? compare(key(a.worker), key(b.worker)) * (of.desc ? -1 : 1) : a.urgency - b.urgency
      return order || compare(a.worker.nickname, b.worker.nickname)
    })
    .map(({ worker }) => worker)
}

const SORTS: Record<string, ((worker: PageWorker) => string | number) | undefined> = {
  name: ({ nickname }) => nickname.toLowerCase(),
  status: stateOf,
  node: ({ node }) => node,
  beat: ({ beatAt }) => -(beatAt ?? Number.NEGATIVE_INFINITY),
  in: ({ rate_in }) => rate_in,
  out: ({ rate_out }) => rate_out,
  lost: ({ lost }) => lost ?? 0,
  restarts: ({ restarts }) => restarts,
  memory: ({ memory_mb }) => memory_mb ?? 0,
  delay: ({ loop_delay_ms }) => loop_delay_ms ?? 0,
}

const urgencyOf = (worker: PageWorker): number => (isTroubled(worker) ? 0 : isExpected(worker) ? 1 : 2)

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0)
