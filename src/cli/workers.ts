import type { WorkerView } from '../fleet/views.js'
import type { Cli } from './cli.js'
import { count, since, span } from './format.js'
import { type Paint, painter } from './print.js'
import type { Column } from './table.js'

const ORDER = ['failed', 'disappeared', 'restarting', 'queued', 'init', 'started', 'terminated', 'stopped'] as const

/** Sorts what needs a person to the top: failed, disappeared, restarting, ... and the stopped last. */
export function problemsFirst(a: WorkerView, b: WorkerView): number {
  const rank = (worker: WorkerView) => ORDER.indexOf(worker.status)
  const trouble = (worker: WorkerView) => (worker.status === 'started' && (worker.restarts || worker.errors) ? 0 : 1)
  return rank(a) - rank(b) || trouble(a) - trouble(b) || byName(a.nickname, b.nickname)
}

/** As people sort them; the rules of a language, which `localeCompare` loads for milliseconds, change nothing for nicknames. */
function byName(a: string, b: string): number {
  const [one, other] = [a.toLowerCase(), b.toLowerCase()]
  return one < other || (one === other && a < b) ? -1 : 1
}

export function workerColumns(cli: Cli): Column<WorkerView>[] {
  const paint = painter(cli.stdout, cli.env)
  return [
    { head: 'NICKNAME', cell: (worker) => worker.nickname, paint: (text) => paint.bold(text) },
    { head: 'TYPE', cell: (worker) => worker.type },
    {
      head: 'STATUS',
      cell: statusText,
      paint: (text, worker) => paintStatus(text, worker.status, paint),
    },
    { head: 'NODE', cell: (worker) => (worker.foreign ? '(foreign)' : worker.node) },
    { head: 'PID', cell: (worker) => worker.pid, right: true },
    { head: 'UP', cell: (worker) => (worker.status === 'started' ? since(worker.started_at) : ''), right: true },
    {
      head: 'BEAT',
      cell: (worker) => (worker.status === 'started' && worker.age !== null ? span(worker.age) : ''),
      right: true,
    },
    { head: 'OUT', cell: (worker) => count(worker.published), right: true },
    { head: 'IN', cell: (worker) => count(worker.received), right: true },
    { head: 'LOST', cell: (worker) => (worker.lost ? count(worker.lost) : ''), right: true },
    { head: 'ERRORS', cell: (worker) => worker.errors || '', right: true },
    { head: 'RESTARTS', cell: (worker) => worker.restarts || '', right: true },
    { head: 'WHAT', cell: trouble, paint: (text) => paint.dim(text) },
  ]
}

/** With its signs of life, where they are not as they should be. */
const statusText = ({ status, life }: WorkerView): string => (life && life !== 'ok' ? `${status}, ${life}` : status)

export function paintStatus(text: string, status: WorkerView['status'], paint: Paint): string {
  if (status === 'failed' || status === 'disappeared') return paint.red(text)
  if (status === 'restarting' || status === 'queued' || status === 'init') return paint.yellow(text)
  return status === 'started' ? paint.green(text) : paint.dim(text)
}

function trouble(worker: WorkerView): string {
  return firstLine(worker.error_msg) || (worker.status === 'started' ? '' : worker.stop_info)
}

/** Of an error with its stack: the sentence. */
export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
