import { useEffect, useState } from 'preact/hooks'
import type { StoredEvent } from '../../store/types.js'
import { API, readEvents, wordsOf } from './api.js'
import { BarChart } from './bar-chart.js'
import { EventList } from './event-list.js'
import type { Fleet } from './fleet.js'
import { setQuery } from './route.js'
import { Choice } from './workers.js'

const PAGE = 100
const KINDS = [
  'alert',
  'crashed',
  'disappeared',
  'failed',
  'moved',
  'starves',
  'started',
  'stopped',
  'command',
  'repair',
  'node',
  'problem',
  'problem_over',
  'data_lost',
]
const SEVERITIES = ['info', 'warning', 'error', 'critical']
/** What the address calls them, and ms. */
export const RANGES = { hour: 3_600_000, day: 86_400_000, week: 604_800_000, month: 2_592_000_000 } as const
type Range = keyof typeof RANGES

/** The event store: filtered, paged, counted, exported. All of it is in the address. */
export function Events({ fleet, query }: { fleet: Fleet; query: URLSearchParams }) {
  const get = (key: string) => query.get(key) ?? ''
  const range: Range = get('range') in RANGES ? (get('range') as Range) : 'day'
  const filter = new URLSearchParams()
  for (const key of ['kind', 'severity', 'nickname', 'type', 'source']) if (get(key)) filter.set(key, get(key))
  const before = get('before')
  const { events, error } = useEvents(fleet, filter.toString(), before)
  const change = (key: string, value: string) => setQuery({ [key]: value, before: '' })
  const text = (key: string, label: string) => (
    <input
      type="search"
      {...(key === 'nickname' && { id: 'search' })}
      placeholder={label}
      aria-label={label}
      value={get(key)}
      onChange={(event) => change(key, event.currentTarget.value.trim())}
    />
  )
  const last = events?.at(-1)
  return (
    <>
      <section aria-labelledby="chart">
        <div class="section-head">
          <h2 id="chart">{get('kind') ? `Events of kind ${get('kind')}` : 'Alerts'} over time</h2>
          <fieldset class="choices" aria-label="Time shown">
            {(Object.keys(RANGES) as Range[]).map((one) => (
              <button key={one} type="button" aria-pressed={one === range} onClick={() => setQuery({ range: one })}>
                {one}
              </button>
            ))}
          </fieldset>
        </div>
        <BarChart filter={filter.toString()} rangeMs={RANGES[range]} fresh={fleet.events[0]?.id ?? ''} />
      </section>
      <section aria-labelledby="events">
        <div class="section-head">
          <h2 id="events">Events</h2>
          <span>
            Export: <a href={`${API}/events?${filter}&limit=10000&format=csv`}>CSV</a>{' '}
            <a href={`${API}/events?${filter}&limit=10000`} download="events.json">
              JSON
            </a>
          </span>
        </div>
        <search class="filters">
          <Choice name="kind" label="Kind" value={get('kind')} choices={KINDS} />
          <Choice name="severity" label="Severity" value={get('severity')} choices={SEVERITIES} />
          {text('nickname', 'Nickname')}
          {text('source', 'Source')}
          {(filter.size > 0 || before) && (
            <button
              type="button"
              class="quiet"
              onClick={() => setQuery({ kind: '', severity: '', nickname: '', type: '', source: '', before: '' })}
            >
              Show all
            </button>
          )}
        </search>
        {error && <p class="form-error">{error}</p>}
        {events?.length === 0 && <p class="empty">No event fits.</p>}
        {events === undefined && !error && <p class="empty">Reading the event store…</p>}
        {events && <EventList events={events} full />}
        <div class="buttons">
          {before && (
            <button type="button" onClick={() => setQuery({ before: '' }, false)}>
              To the newest
            </button>
          )}
          {events?.length === PAGE && last && (
            <button type="button" onClick={() => setQuery({ before: last.id }, false)}>
              Older
            </button>
          )}
        </div>
      </section>
    </>
  )
}

/** One page of events; the newest one goes on by what the stream brings. */
function useEvents(fleet: Fleet, filter: string, before: string) {
  const [read, setRead] = useState<{ events?: StoredEvent[]; error?: string }>({})
  useEffect(() => {
    const end = new AbortController()
    const query = `${filter}&limit=${PAGE}${before && `&before=${encodeURIComponent(before)}`}`
    setRead({})
    readEvents(query, end.signal).then(
      (events) => setRead({ events }),
      (error: unknown) => end.signal.aborted || setRead({ error: Object.values(wordsOf(error)).join(' ') }),
    )
    return () => end.abort()
  }, [filter, before])
  if (!read.events || before) return read
  const known = new Set(read.events.map(({ id }) => id))
  const newest = read.events[0]?.time ?? 0
  const wanted = [...new URLSearchParams(filter)] as [keyof StoredEvent, string][]
  const fresh = fleet.events.filter(
    (event) => event.time >= newest && !known.has(event.id) && wanted.every(([key, value]) => event[key] === value),
  )
  return { ...read, events: [...fresh, ...read.events].slice(0, PAGE) }
}
