import type { WorkerView } from '../fleet/views.js'
import { span } from './format.js'

/** What will happen with a worker if nobody does anything, in one sentence. */
export function whatNext(worker: WorkerView, nodesUp: number, nowMs = Date.now()): string {
  const { nickname, type, status, wanted } = worker
  if (worker.foreign) return 'Whatever the Python HySAS does: it is not ours.'
  if (!wanted) return `Nothing: it is stopped. \`hysas start ${type} ${nickname}\` starts it.`
  if (status === 'failed') return `Nothing: it was given up. \`hysas restart ${nickname}\` tries again.`
  if (status === 'terminated') return `Nothing: its work is done. \`hysas restart ${nickname}\` does it again.`
  if (!nodesUp) return 'It starts as soon as a node is up: `hysas up`.'
  if (status === 'queued' && worker.next_tick !== null) return `Its first tick comes${due(worker.next_tick, nowMs)}.`
  if (status === 'queued') return 'It starts as soon as a node that has its processor has room for it.'
  if (status === 'restarting') return `It is started again${due(worker.next_start_at, nowMs)}.`
  if (status === 'disappeared') return 'It is taken over by a node as soon as its lock has run out, within seconds.'
  if (worker.kind === 'repeatable') return `Its next tick comes${due(worker.next_tick, nowMs)}.`
  return 'It goes on; if it dies, it is started again.'
}

function due(unixSeconds: number | null, nowMs: number): string {
  if (unixSeconds === null) return ' shortly'
  const left = unixSeconds - nowMs / 1000
  return left > 0 ? ` in ${span(left)}` : ' at once'
}
