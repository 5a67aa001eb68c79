import { type Logger, withoutPassword } from '../log.js'
import { type Alert, type AlertPost, postAlert } from './alert-post.js'

/** A problem that is open. Kept in Redis, so that another node or a restart tells nothing twice. */
export interface Problem {
  kind: string
  type: string
  nickname: string
  node: string
  message: string
  sinceMs: number
  told: 'no' | 'yes' | 'given up'
  over?: boolean
}

/** More posts than this within WINDOW_MS become one with a list. */
const BURST = 5
const WINDOW_MS = 5000
/** Of one list; of the rest only the number is told. */
const LISTED = 100

/** Posts problems and their ends, one post at a time and never many: what comes at once is told in one list. */
export function createAlertQueue(of: {
  url: string
  fleet: string
  log: Logger
  open: ReadonlyMap<string, Problem>
  /** Whether it was taken. */
  onPosted(keys: readonly string[], taken: boolean): void
}) {
  const ending = new AbortController()
  let postedAt: number[] = []
  let heldUntil = 0
  let posting: Promise<void> | undefined

  async function pump(): Promise<void> {
    await postAll('problem', (problem) => !problem.over && problem.told === 'no')
    await postAll('resolved', (problem) => problem.over === true)
  }

  async function postAll(what: Alert['what'], due: (problem: Problem) => boolean): Promise<void> {
    const now = performance.now()
    postedAt = postedAt.filter((at) => now - at < WINDOW_MS)
    const keys = [...of.open].flatMap(([key, problem]) => (due(problem) ? [key] : []))
    if (keys.length === 0 || now < heldUntil || ending.signal.aborted) return
    if (keys.length <= BURST - postedAt.length) for (const key of keys) await post(what, [key])
    else {
      heldUntil = now + WINDOW_MS
      await post(what, keys)
    }
  }

  async function post(what: Alert['what'], keys: readonly string[]): Promise<void> {
    const list = keys.flatMap((key) => {
      const problem = of.open.get(key)
      return problem ? [alertOf(what, key, problem)] : []
    })
    const [first] = list
    if (!first) return
    postedAt.push(performance.now())
    const taken = await postAlert(of.url, list.length === 1 ? first : together(list, first), of.log, ending.signal)
    if (!ending.signal.aborted) of.onPosted(keys, taken)
  }

  const alertOf = (what: Alert['what'], key: string, problem: Problem): Alert => ({
    what,
    id: `${key}@${Math.round(problem.sinceMs)}`,
    kind: problem.kind,
    type: problem.type,
    nickname: problem.nickname,
    node: problem.node,
    since: problem.sinceMs / 1000,
    message: withoutPassword(problem.message),
    fleet: of.fleet,
  })

  return {
    /** Tells what is due; what cannot be told yet is told by a later call. Does not wait. */
    pump(): void {
      posting ??= pump().finally(() => {
        posting = undefined
      })
    },
    async close(): Promise<void> {
      ending.abort()
      await posting
    },
  }
}

function together(list: readonly Alert[], first: Alert): AlertPost {
  const problems = first.what === 'problem' ? 'problems' : 'problems are over'
  const more = list.length > 3 ? '; and more' : ''
  const message = `${list.length} ${problems}: ${list
    .slice(0, 3)
    .map((alert) => alert.message)
    .join('; ')}${more}`
  return {
    ...first,
    kind: 'several',
    type: '',
    nickname: '',
    node: '',
    since: Math.min(...list.map(({ since }) => since)),
    message,
    list: list.slice(0, LISTED),
  }
}
