import type { GoneNode, NodeView, TypeView } from '../../fleet/views.js'
import { type Fleet, isBroken, type PageWorker } from './fleet.js'
import { clean } from './format.js'
import { isExpected } from './state.js'
import { listOf, msOf, type Problem, problemsOfWorker } from './worker-problems.js'

/** s after which a node that is gone is told of no more. */
const FORGET_S = 3600

/** All that is wrong, gravest first; nothing when all is well. */
export function problemsOf(fleet: Fleet, nowMs = Date.now()): Problem[] {
  const { workers, nodes, gone, types, known } = fleet
  if (!known) return []
  const names = new Set(gone.map(({ name }) => name))
  // told of with their node, which may have hosted a thousand
  const [silent, others] = parted([...workers.values()], (worker) => names.has(worker.node) && isSilent(worker))
  const found = [
    ...others.flatMap((worker) => problemsOfWorker(worker, nowMs)),
    ...(nodes.length === 0 ? [NO_NODE] : []),
    ...gone.map((node) => problemOfGone(node, silent)),
    ...problemsAround(nodes),
    ...types.filter(isBroken).map(problemOfType),
  ]
  return found.sort((a, b) => Number(b.grave) - Number(a.grave) || a.id.localeCompare(b.id))
}

const isSilent = (worker: PageWorker): boolean =>
  isExpected(worker) && (worker.life === 'cut off' || worker.life === 'dead')

function parted<T>(all: readonly T[], fits: (one: T) => boolean): [T[], T[]] {
  const parts: [T[], T[]] = [[], []]
  for (const one of all) parts[fits(one) ? 0 : 1].push(one)
  return parts
}

const NO_NODE: Problem = {
  ...{ id: 'nodes', grave: true, title: 'No node is up', cause: 'Nothing can run.', since: null },
  next: 'Start one with “hysas up”; what is wanted then comes back by itself.',
}

function problemOfGone({ name, host, heart_beat, age }: GoneNode, silent: readonly PageWorker[]): Problem {
  const names = silent.filter(({ node }) => node === name).map(({ nickname }) => nickname)
  const cut = names.length ? ` Not heard of with it: ${listOf(names)}.` : ''
  const moved = names.length ? 'What ran there begins anew on other nodes by itself. ' : ''
  return {
    ...{ id: `gone ${name}`, grave: true, title: `The node ${clean(name)} is gone`, since: heart_beat * 1000 },
    cause: `Nothing was heard of it on ${clean(host)} since, and it has not said that it ends.${cut}`,
    next: `${moved}See to the host, and start it again; ${age > FORGET_S / 2 ? 'soon' : 'after an hour'} it is forgotten.`,
  }
}

/** With Redis and the event store; what several nodes see is one problem. */
function problemsAround(nodes: readonly NodeView[]): Problem[] {
  const told = new Map<string, { names: string[]; since: number | null }>()
  for (const { name, problems, problems_since } of nodes) {
    for (const one of problems) {
      const { names, since } = told.get(one) ?? { names: [], since: null }
      told.set(one, { names: [...names, name], since: earliest(since, msOf(problems_since[one] ?? null)) })
    }
  }
  return [...told].map(([problem, { names, since }]) => {
    const away = /event store/i.test(problem)
    return {
      ...{ id: `node ${problem}`, grave: true, since, cause: clean(problem) },
      title: away ? 'The event store is away' : `Trouble around ${listOf(names)}`,
      next: away
        ? 'Workers run on; what happens is kept in Redis and written by itself once the store is back.'
        : 'It is tried again all the time, and goes on by itself once that is mended.',
    }
  })
}

const earliest = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.min(a, b)

function problemOfType(type: TypeView): Problem {
  const cause = type.error || type.nodes.find(({ error }) => error)?.error || ''
  const good = type.version ? 'The last good version stays in force. ' : 'No worker of it can start. '
  return {
    ...{ id: `type ${type.type}`, grave: false, title: `The processor ${type.type} can not be loaded` },
    ...{ cause: clean(cause), since: msOf(type.error_since) },
    next: `${good}Mend its file; it is read again as soon as it is saved.`,
  }
}
