import { useState } from 'preact/hooks'
import type { LogLine } from '../../fleet/views.js'
import { readLog } from './api.js'
import type { PageWorker } from './fleet.js'
import { clean, clock, moment, utc } from './format.js'

/** All that is known of a worker and has no column: parameters, neighbours, error, log. */
export function WorkerDetails({ worker }: { worker: PageWorker }) {
  const list = (names: readonly string[]) => names.map(clean).join(', ') || 'nobody'
  const facts: [string, preact.ComponentChildren][] = [
    [
      'Run',
      worker.epoch === null ? '–' : `epoch ${worker.epoch}, process ${worker.pid ?? '–'}, version ${worker.version}`,
    ],
    ['Started', worker.started_at === null ? '–' : <Time seconds={worker.started_at} />],
    [
      'Asked for',
      <>
        {clean(worker.by) || '–'} {worker.since !== null && <Time seconds={worker.since} />}
      </>,
    ],
    ['Hears', list(worker.data_feeder)],
    ['Heard by', list(worker.follower)],
    [
      'Parts',
      Object.entries(worker.threads)
        .map(([part, state]) => `${part}: ${state}`)
        .join(', ') || '–',
    ],
    ['Event loop', worker.loop_delay_ms === null ? '–' : `${worker.loop_delay_ms.toFixed(1)} ms late (99 of 100)`],
    ['Parameters', <code>{JSON.stringify(worker.params)}</code>],
  ]
  if (worker.kind === 'repeatable') {
    const next = worker.next_tick === null ? '–' : <Time seconds={worker.next_tick} />
    facts.push([
      'Ticks',
      <>
        {worker.ticks} ({worker.skipped} skipped, {worker.missed} missed), next {next}
      </>,
    ])
  }
  if (worker.stop_info) facts.push(['Last end', clean(worker.stop_info)])
  return (
    <>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {worker.error_msg && <pre class="error">{clean(worker.error_msg)}</pre>}
      <Log nickname={worker.nickname} />
    </>
  )
}

function Log({ nickname }: { nickname: string }) {
  const [lines, setLines] = useState<LogLine[] | string>()
  const load = () =>
    readLog(nickname).then(setLines, (error: unknown) =>
      setLines(error instanceof Error ? error.message : String(error)),
    )
  return (
    <>
      <button type="button" onClick={load}>
        {lines === undefined ? 'Show the last log lines' : 'Read the log again'}
      </button>
      {typeof lines === 'string' && <p class="bad">{lines}</p>}
      {Array.isArray(lines) && lines.length === 0 && <p class="empty">The log is empty.</p>}
      {Array.isArray(lines) && lines.length > 0 && (
        <section aria-label={`Log of ${nickname}`}>
          <pre class="log">{lines.map(textOf).join('\n')}</pre>
        </section>
      )}
    </>
  )
}

function textOf({ time, level, msg, fields }: LogLine): string {
  const more = Object.keys(fields).length ? ` ${JSON.stringify(fields)}` : ''
  return clean(`${clock(new Date(time))} ${level.padEnd(5)} ${msg}${more}`)
}

const Time = ({ seconds }: { seconds: number }) => <time title={utc(seconds * 1000)}>{moment(seconds * 1000)}</time>
