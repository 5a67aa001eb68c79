import { useState } from 'preact/hooks'
import type { Fleet } from './fleet.js'
import { clean, moment, utc } from './format.js'

const SHOWN = 50

export function Events({ fleet }: { fleet: Fleet }) {
  const [alerts, setAlerts] = useState(false)
  const events = fleet.events.filter(({ kind }) => !alerts || kind === 'alert').slice(0, SHOWN)
  return (
    <section aria-labelledby="events">
      <div class="section-head">
        <h2 id="events">Latest events</h2>
        <label class="check">
          <input type="checkbox" checked={alerts} onChange={(event) => setAlerts(event.currentTarget.checked)} /> Alerts
          only
        </label>
      </div>
      {events.length === 0 && <p class="empty">{alerts ? 'No alerts.' : 'Nothing has happened yet.'}</p>}
      <ol class="events">
        {events.map((event) => (
          <li key={event.id} class={event.severity}>
            <time title={utc(event.time)}>{moment(event.time)}</time>
            <span class="kind">{clean(event.kind)}</span>
            <span class="what">
              {event.nickname && <strong>{clean(event.nickname)} </strong>}
              {clean(event.message)}
              {event.source && <span class="faint"> · {clean(event.source)}</span>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}
