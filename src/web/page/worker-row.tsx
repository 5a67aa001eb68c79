import { useEffect, useState } from 'preact/hooks'
import { type PageWorker, shownAt } from './fleet.js'
import { clean, count, rate, span } from './format.js'
import { WorkerDetails } from './worker-details.js'

interface RowProps {
  worker: PageWorker
  operator: boolean
  busy: boolean
  onAsk: (what: 'stop' | 'restart') => void
  onStart: () => void
}

/** One worker; its name opens the rest of what is known of it. */
export function WorkerRow({ worker, operator, busy, onAsk, onStart }: RowProps) {
  const [open, setOpen] = useState(false)
  const { nickname, type, wanted, system } = worker
  const idle = !wanted
  const details = `details-${nickname}`
  return (
    <>
      <tr class={idle ? 'idle' : ''} data-nickname={nickname}>
        <th scope="row">
          <button
            type="button"
            class="plain name"
            aria-expanded={open}
            aria-controls={details}
            onClick={() => setOpen(!open)}
          >
            {clean(nickname)}
          </button>
          <span class="type">
            {clean(type)}
            {system && <span class="tag">system</span>}
          </span>
        </th>
        <td data-label="Status">
          <Status worker={worker} />
        </td>
        <td data-label="Node">{clean(worker.node) || '–'}</td>
        <td data-label="Heartbeat" class="n">
          {idle ? '–' : <Age worker={worker} />}
        </td>
        <td data-label="In" class="n">
          <Flow perSecond={worker.rate_in} total={worker.received} idle={idle} />
        </td>
        <td data-label="Out" class="n">
          <Flow perSecond={worker.rate_out} total={worker.published} idle={idle} />
        </td>
        <td data-label="Restarts" class="n">
          {worker.restarts}
        </td>
        <td data-label="Memory" class="n">
          {worker.memory_mb === null || idle ? '–' : `${Math.round(worker.memory_mb)} MB`}
        </td>
        <td class="actions">
          {operator && idle && (
            <button type="button" disabled={busy} onClick={onStart} aria-label={`Start ${nickname}`}>
              Start
            </button>
          )}
          {operator && !idle && (
            <button type="button" disabled={busy} onClick={() => onAsk('restart')} aria-label={`Restart ${nickname}`}>
              Restart
            </button>
          )}
          {operator && !idle && !system && (
            <button type="button" disabled={busy} onClick={() => onAsk('stop')} aria-label={`Stop ${nickname}`}>
              Stop
            </button>
          )}
        </td>
      </tr>
      {open && (
        <tr class="details" id={details}>
          <td colSpan={9}>
            <WorkerDetails worker={worker} />
          </td>
        </tr>
      )}
    </>
  )
}

function Status({ worker }: { worker: PageWorker }) {
  const { status, wanted } = worker
  const look = { started: 'good', init: 'busy', queued: 'busy', restarting: 'warn', failed: 'bad', disappeared: 'bad' }
  const name = wanted ? (look[status as keyof typeof look] ?? 'off') : 'off'
  return (
    <span class={`status ${name}`}>
      <span class="dot" aria-hidden="true" /> {wanted && status === 'started' ? 'running' : status}
    </span>
  )
}

/** Counts on between two heartbeats. A repeatable worker beats by its ticks, which may be far apart. */
function Age({ worker }: { worker: PageWorker }) {
  const [, setTick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => setTick((tick) => tick + 1), 1000)
    return () => clearInterval(timer)
  }, [])
  if (worker.beatAt === null) return <>–</>
  const seconds = Math.max(0, shownAt() - worker.beatAt) / 1000
  const late = worker.kind !== 'repeatable' && seconds > (worker.heart_beat_interval ?? 1) + 1
  return <span class={late ? 'late' : ''}>{span(seconds)}</span>
}

function Flow({ perSecond, total, idle }: { perSecond: number; total: number; idle: boolean }) {
  return (
    <>
      {idle ? '–' : `${rate(perSecond)}/s`} <span class="total">{count(total)}</span>
    </>
  )
}
