import type { StoredEvent } from '../../store/types.js'
import { clean } from './format.js'
import { hrefOf } from './route.js'
import { Time } from './time.js'

/** Events, newest first; what an event has besides its sentence opens below it. */
export function EventList({ events, full }: { events: readonly StoredEvent[]; full?: boolean }) {
  return (
    <ol class="events">
      {events.map((event) => (
        <li key={event.id} class={event.severity}>
          <Time ms={event.time} />
          <span class="kind">{clean(event.kind)}</span>
          <div class="what">
            {event.nickname && (
              <a class="who" href={hrefOf('worker', event.nickname)}>
                {clean(event.nickname)}
              </a>
            )}{' '}
            {clean(event.message)}
            {event.source && <span class="faint"> · {clean(event.source)}</span>}
            {full && <More event={event} />}
          </div>
        </li>
      ))}
    </ol>
  )
}

function More({ event }: { event: StoredEvent }) {
  const { data, node, epoch, type, id } = event
  const stack = typeof data === 'object' && data !== null && 'stack' in data ? data.stack : undefined
  const rest = typeof data === 'object' && data !== null ? { ...data, stack: undefined } : data
  const has = rest !== null && rest !== undefined && JSON.stringify(rest) !== '{}'
  if (!stack && !has) return null
  return (
    <details>
      <summary>Details</summary>
      <p class="faint">
        {[type, node && `on ${node}`, epoch && `epoch ${epoch}`, `event ${id}`]
          .filter(Boolean)
          .map(String)
          .map(clean)
          .join(', ')}
      </p>
      {typeof stack === 'string' && <pre class="error">{clean(stack)}</pre>}
      {has && <pre>{clean(JSON.stringify(rest, null, 2))}</pre>}
    </details>
  )
}
