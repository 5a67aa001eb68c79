import type { StoredEvent } from '../../store/types.js'

/** One run of a worker, as its events tell it. Times are Unix ms. */
export interface Run {
  from: number
  /** Null while it lasts. */
  to: number | null
  node: string
  epoch: number | null
  /** Kind of the event that ended it: `crashed`, `stopped`, `disappeared`, `failed`; `restarted` where only the next one tells. */
  end: string
  message: string
}

const ENDS = ['crashed', 'stopped', 'disappeared', 'failed']

/** The runs of a worker from its events (in any order), oldest first. */
export function runsOf(events: readonly StoredEvent[], running: boolean): Run[] {
  const runs: Run[] = []
  for (const { kind, time, node, epoch, message, source } of [...events].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const last = runs.at(-1)
    if (kind === 'started') {
      if (last && last.to === null) Object.assign(last, { to: time, end: 'restarted' })
      runs.push({ from: time, to: null, node: node || source, epoch, end: '', message: '' })
    } else if (ENDS.includes(kind) && last && (last.to === null || (kind === 'failed' && last.end === 'crashed'))) {
      Object.assign(last, { to: last.to ?? time, end: kind, message })
    }
  }
  const last = runs.at(-1)
  if (last && last.to === null && !running) last.end = 'unknown'
  return runs
}
