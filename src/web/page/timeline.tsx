import type { StoredEvent } from '../../store/types.js'
import { EventList } from './event-list.js'
import type { Fleet, PageWorker } from './fleet.js'
import { clean, moment, span, utc } from './format.js'
import { type Run, runsOf } from './life.js'
import { useSeconds } from './now.js'
import { hrefOf } from './route.js'
import { isExpected } from './state.js'
import { useEvents } from './stored-events.js'
import { Time } from './time.js'

/** What belongs to the life of a worker; what it tells of others, alerts above all, does not. */
const KINDS = [
  ...['started', 'stopped', 'crashed', 'failed', 'moved', 'disappeared', 'terminated'],
  ...['starves', 'command', 'repair'],
]
const WIDTH = 1000
const READ = 300
const LISTED = 15

/** A worker's life: its runs over the nodes as bars, what ended them, and every event about it. */
export function Timeline({ fleet, worker }: { fleet: Fleet; worker: PageWorker }) {
  useSeconds()
  const { nickname } = worker
  const kinds = KINDS.map((kind) => `&kind=${kind}`).join('')
  const takes = (event: StoredEvent) => event.nickname === nickname && KINDS.includes(event.kind)
  const { events, error } = useEvents(fleet, `nickname=${encodeURIComponent(nickname)}${kinds}`, READ, takes)
  const failed = error && <p class="form-error">{error}</p>
  if (!events) return <Frame>{failed || <p class="empty">Reading its events…</p>}</Frame>
  if (events.length === 0)
    return <Frame>{failed || <p class="empty">The event store knows nothing of it yet.</p>}</Frame>
  const runs = runsOf(events, isExpected(worker))
  return (
    <Frame>
      {failed}
      {runs.length > 0 && <Strip runs={runs} />}
      <EventList events={events.slice(0, LISTED)} full />
      <p>
        <a href={hrefOf('events', '', { nickname })}>All its events, alerts included</a>
      </p>
    </Frame>
  )
}

const Frame = ({ children }: { children: preact.ComponentChildren }) => (
  <section aria-labelledby="life">
    <h2 id="life">Its life</h2>
    {children}
  </section>
)

function Strip({ runs }: { runs: readonly Run[] }) {
  const now = Date.now()
  const nodes = [...new Set(runs.map(({ node }) => node))]
  const from = runs[0]?.from ?? now
  const x = (time: number) => ((time - from) / Math.max(1, now - from)) * WIDTH
  const crashes = runs.filter(({ end }) => end === 'crashed').length
  const told = `${runs.length} ${runs.length === 1 ? 'run' : 'runs'}, ${crashes} crashed`
  return (
    <figure class="life">
      <figcaption>{told}</figcaption>
      {nodes.map((node) => (
        <div key={node} class="lane">
          <span class="lane-name">{clean(node) || 'unknown node'}</span>
          <svg viewBox={`0 0 ${WIDTH} 26`} preserveAspectRatio="none" role="img" aria-label={`Runs on ${node}`}>
            <rect x="0" y="12" width={WIDTH} height="2" class="ground" />
            {runs
              .filter((run) => run.node === node)
              .map((run) => {
                const end = run.to ?? now
                const title = titleOf(run, end)
                return (
                  <g key={run.from}>
                    <rect
                      x={x(run.from)}
                      y="4"
                      width={Math.max(2, x(end) - x(run.from) - 1)}
                      height="18"
                      class={`run ${run.end || 'lives'}`}
                    >
                      <title>{title}</title>
                    </rect>
                    {run.end && run.end !== 'stopped' && run.end !== 'restarted' && (
                      <rect x={x(end) - 3} y="0" width="4" height="26" class="broke">
                        <title>{title}</title>
                      </rect>
                    )}
                  </g>
                )
              })}
          </svg>
        </div>
      ))}
      <div class="ends">
        <Time ms={from} />
        <span class="legend">
          <i class="run lives" /> running <i class="run stopped" /> ended in order <i class="broke" /> crash or loss
        </span>
        <Time ms={now}>now</Time>
      </div>
    </figure>
  )
}

/** How it went, and below it from when to when. */
function titleOf({ from, to, epoch, end, message }: Run, until: number): string {
  const became = end ? `: ${end} ${clean(message)}` : ''
  const last = to === null ? 'now' : moment(to)
  const how = `${moment(from)} to ${last} (${span((until - from) / 1000)}), epoch ${epoch ?? '–'}${became}`
  return `${how}\n${utc(from)} to ${utc(until)}`
}
