import { useState } from 'preact/hooks'
import type { StoredEvent } from '../../store/types.js'
import { addressTime, type EqualField, type EventFilter, inputTime, NO_FILTER } from './event-filter.js'
import { utc } from './format.js'
import { setQuery } from './route.js'
import { Choice } from './workers.js'

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

interface FilterProps {
  filter: EventFilter
  types: readonly { type: string }[]
  /** Events that are known: a worker may record kinds of its own, and a type may be gone by now. */
  seen: readonly StoredEvent[]
  /** Is it another page than the newest? */
  paged: boolean
}

/** The inputs of the filter, which is kept in the address. A change of it goes back to the newest events. */
export function EventFilters(of: FilterProps) {
  const kinds = [...new Set([...KINDS, ...of.seen.map(({ kind }) => kind)])]
  const types = [...new Set([...of.types, ...of.seen].map(({ type }) => type))].filter(Boolean).sort()
  const { equal, since, until } = of.filter
  const some = equal.size > 0 || since !== undefined || until !== undefined || of.paged
  return (
    <search class="filters">
      <Choice name="kind" label="Kind" value={equal.get('kind') ?? ''} choices={kinds} also={NEWEST} />
      <Choice name="severity" label="Severity" value={equal.get('severity') ?? ''} choices={SEVERITIES} also={NEWEST} />
      <Choice name="type" label="Type" value={equal.get('type') ?? ''} choices={types} also={NEWEST} />
      <Exactly name="nickname" label="Nickname" value={equal.get('nickname') ?? ''} />
      <Exactly name="source" label="Source" value={equal.get('source') ?? ''} />
      <span class="moments">
        <Moment name="since" label="From" ms={since} />
        <Moment name="until" label="To" ms={until} />
      </span>
      {some && (
        <button type="button" class="quiet" onClick={() => setQuery({ ...NO_FILTER, ...NEWEST })}>
          Show all
        </button>
      )}
      {since !== undefined && until !== undefined && since > until && (
        <p class="problem" role="alert">
          “From” is later than “To”: no event can fit.
        </p>
      )}
    </search>
  )
}

const NEWEST = { before: '' }

/** What is typed counts with Enter, or when the field is left; until then it is kept here, for the page is drawn each second. */
function Exactly({ name, label, value }: { name: EqualField; label: string; value: string }) {
  const [typed, setTyped] = useState<string>()
  return (
    <input
      type="search"
      {...(name === 'nickname' && { id: 'search' })}
      placeholder={label}
      aria-label={label}
      value={typed ?? value}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onChange={(event) => {
        setQuery({ [name]: event.currentTarget.value.trim(), ...NEWEST })
        setTyped(undefined)
      }}
      onBlur={() => setTyped(undefined)}
    />
  )
}

/** Local time, and UTC on hover. */
function Moment({ name, label, ms }: { name: 'since' | 'until'; label: string; ms: number | undefined }) {
  const [typed, setTyped] = useState<string>()
  return (
    <label class={ms === undefined ? 'moment' : 'moment chosen'} title={ms === undefined ? 'Local time' : utc(ms)}>
      {label}{' '}
      <input
        type="datetime-local"
        step="1"
        max="9999-12-31T23:59:59"
        value={typed ?? (ms === undefined ? '' : inputTime(ms))}
        onInput={({ currentTarget: { value } }) => {
          setTyped(value)
          const chosen = new Date(value).getTime()
          if (value === '') setQuery({ [name]: '', ...NEWEST })
          // whoever types 2026 has typed the year 2, 20 and 202 before
          else if (chosen > 0) setQuery({ [name]: addressTime(chosen), ...NEWEST })
        }}
        onBlur={() => setTyped(undefined)}
      />
    </label>
  )
}
