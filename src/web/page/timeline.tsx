import { useEffect, useState } from 'preact/hooks'
import type { StoredEvent } from '../../store/types.js'
import { readEvents, wordsOf } from './api.js'
import { EventList } from './event-list.js'
import type { Fleet, PageWorker } from './fleet.js'
import { clean, moment, span, utc } from './format.js'
import { type Run, runsOf } from './life.js'
import { useSeconds } from './now.js'
import { useReturns } from './returns.js'
import { hrefOf } from './route.js'
import { isExpected } from './state.js'
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
  const { events, error } = useEventsOf(fleet, worker.nickname)
  if (error) return <Frame>{<p class="form-error">{error}</p>}</Frame>
  if (!events) return <Frame>{<p class="empty">Reading its events…</p>}</Frame>
  if (events.length === 0) return <Frame>{<p class="empty">The event store knows nothing of it yet.</p>}</Frame>
  const runs = runsOf(events, isExpected(worker))
  return (
    <Frame>
      {runs.length > 0 && <Strip runs={runs} />}
      <EventList events={events.slice(0, LISTED)} full />
      <p>
        <a href={hrefOf('events', '', { nickname: worker.nickname })}>All its events, alerts included</a>
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

/** Read once; what the stream brings is added. Newest first. */
function useEventsOf(fleet: Fleet, nickname: string) {
  const [read, setRead] = useState<{ events?: StoredEvent[]; error?: string }>({})
  const returns = useReturns(fleet.link)
  useEffect(() => {
    const end = new AbortController()
    const kinds = KINDS.map((kind) => `kind=${kind}`).join('&')
    readEvents(`nickname=${encodeURIComponent(nickname)}&limit=${READ}&${kinds}`, end.signal).then(
      (events) => setRead({ events: events.filter((event) => event.nickname === nickname) }),
      (error: unknown) => end.signal.aborted || setRead({ error: wordsOf(error).text }),
    )
    return () => end.abort()
  }, [nickname, returns])
  if (!read.events) return read
  const known = new Set(read.events.map(({ id }) => id))
  const fresh = fleet.events.filter(
    (event) => event.nickname === nickname && KINDS.includes(event.kind) && !known.has(event.id),
  )
  return { events: [...fresh, ...read.events].sort((a, b) => b.time - a.time || (a.id < b.id ? 1 : -1)) }
}
