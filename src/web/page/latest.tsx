import { EventList } from './event-list.js'
import type { Fleet } from './fleet.js'
import { hrefOf } from './route.js'

const SHOWN = 12

export function LatestEvents({ fleet }: { fleet: Fleet }) {
  return (
    <section aria-labelledby="latest">
      <div class="section-head">
        <h2 id="latest">Latest events</h2>
        <a href={hrefOf('events')}>All events</a>
      </div>
      {fleet.events.length === 0 && (
        <p class="empty">{fleet.known ? 'Nothing has happened yet.' : 'Reading the events…'}</p>
      )}
      <EventList events={fleet.events.slice(0, SHOWN)} />
    </section>
  )
}
