import { type PageWorker, shownAt } from './fleet.js'
import { span } from './format.js'
import { useSeconds } from './now.js'
import { isExpected, lookOf, meaningOf, stateOf } from './state.js'
import { Time } from './time.js'

/** The word for its state, and what it means on hover. */
export function Status({ worker }: { worker: PageWorker }) {
  const meaning = meaningOf(worker)
  return (
    <span class={`status ${lookOf(worker)}`} {...(meaning && { title: `${meaning.cause} ${meaning.next}` })}>
      <span class="dot" aria-hidden="true" /> {stateOf(worker)}
    </span>
  )
}

/** Counts on between two heartbeats. A repeatable worker beats by its ticks, which may be far apart. */
export function Age({ worker }: { worker: PageWorker }) {
  useSeconds()
  if (worker.beatAt === null || !isExpected(worker)) return <>–</>
  const seconds = Math.max(0, shownAt() - worker.beatAt) / 1000
  const runs = worker.status === 'started' || worker.status === 'disappeared'
  const late = runs && worker.kind !== 'repeatable' && seconds > (worker.heart_beat_interval ?? 1) + 1
  const beat = worker.heart_beat === null ? Date.now() - seconds * 1000 : worker.heart_beat * 1000
  return (
    <Time ms={beat}>
      <span class={late ? 'late' : ''}>{span(seconds)}</span>
    </Time>
  )
}
