import type { StoredEvent } from '../store/types.js'

/** One run of a worker, put together from its events. Times in Unix ms. */
export interface Run {
  epoch: number
  node: string
  started: number | null
  ended: number | null
  /** Kind of the event that ended it: `stopped`, `crashed`, `disappeared`, ...; empty while it runs. */
  end: string
  message: string
  /** What ended its process, where something did. */
  signal: string
  stack: string
}

const BEGINS = 'started'
/** Kinds that end a run; later ones do not overrule earlier ones. */
export const ENDS = ['stopped', 'terminated', 'crashed', 'disappeared', 'failed'] as const

/** The runs that the events tell of, newest first. */
export function runsOf(events: readonly StoredEvent[]): Run[] {
  const runs = new Map<number, Run>()
  for (const event of [...events].sort((a, b) => a.time - b.time)) {
    if (event.epoch === null) continue
    const ends = ENDS.some((kind) => kind === event.kind)
    if (event.kind !== BEGINS && !ends) continue
    const run = runs.get(event.epoch) ?? emptyRun(event.epoch)
    runs.set(event.epoch, run)
    run.node ||= event.node
    if (!ends) run.started ??= event.time
    else if (!run.end) endRun(run, event)
  }
  return [...runs.values()].sort((a, b) => b.epoch - a.epoch)
}

function endRun(run: Run, event: StoredEvent): void {
  const data = (typeof event.data === 'object' && event.data !== null ? event.data : {}) as Record<string, unknown>
  run.ended = event.time
  run.end = event.kind
  run.message = event.message
  run.signal = typeof data.signal === 'string' ? data.signal : (/\bSIG[A-Z0-9]+\b/.exec(event.message)?.[0] ?? '')
  // What was killed from outside was nowhere in particular.
  run.stack = typeof data.stack === 'string' && !run.signal ? data.stack : ''
}

function emptyRun(epoch: number): Run {
  return { epoch, node: '', started: null, ended: null, end: '', message: '', signal: '', stack: '' }
}
