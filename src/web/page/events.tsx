import { API } from './api.js'
import { BarChart } from './bar-chart.js'
import { apiQuery, filterOf, fits } from './event-filter.js'
import { EventFilters } from './event-filters.js'
import { EventList } from './event-list.js'
import type { Fleet } from './fleet.js'
import { clean } from './format.js'
import { setQuery } from './route.js'
import { useEvents } from './stored-events.js'

const PAGE = 100
/** What the address calls them, and ms. */
export const RANGES = { hour: 3_600_000, day: 86_400_000, week: 604_800_000, month: 2_592_000_000 } as const
type Range = keyof typeof RANGES

/** The event store: filtered, paged, counted, exported. All of it is in the address. */
export function Events({ fleet, query }: { fleet: Fleet; query: URLSearchParams }) {
  const kind = query.get('kind') ?? ''
  const asked = query.get('range') ?? ''
  const range: Range = asked in RANGES ? (asked as Range) : 'day'
  const filter = filterOf(query)
  const wanted = apiQuery(filter).toString()
  const before = query.get('before') ?? ''
  const older = before && `&before=${encodeURIComponent(before)}`
  // the newest page goes on by what the stream brings
  const { events, error } = useEvents(fleet, wanted + older, PAGE, (event) => !before && fits(event, filter))
  const last = events?.at(-1)
  const seen = [...fleet.events, ...(events ?? [])]
  const bounded = filter.since !== undefined || filter.until !== undefined
  return (
    <>
      <section aria-labelledby="chart">
        <div class="section-head">
          <h2 id="chart">{kind ? `Events of kind ${clean(kind)}` : 'Alerts'} over time</h2>
          <fieldset class="choices" aria-label="Time shown">
            {(Object.keys(RANGES) as Range[]).map((one) => (
              <button
                key={one}
                type="button"
                aria-pressed={one === range && !bounded}
                onClick={() => setQuery({ range: one, since: '', until: '' })}
              >
                {one}
              </button>
            ))}
          </fieldset>
        </div>
        <BarChart fleet={fleet} filter={filter} rangeMs={RANGES[range]} />
      </section>
      <section aria-labelledby="events">
        <div class="section-head">
          <h2 id="events">Events</h2>
          <span title="All that fit, however many">
            Export: <a href={`${API}/events/export?${wanted}&format=csv`}>CSV</a>{' '}
            <a href={`${API}/events/export?${wanted}`} download="events.json">
              JSON
            </a>
          </span>
        </div>
        <EventFilters filter={filter} types={fleet.types} seen={seen} paged={before !== ''} />
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
