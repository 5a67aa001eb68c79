import { setQuery } from './route.js'
import type { Selection } from './selection.js'

/** Column heads: what is sorted by, the word, and whether it is a number. */
export const COLUMNS = [
  ['name', 'Worker', false],
  ['status', 'Status', false],
  ['node', 'Node', false],
  ['beat', 'Heartbeat', true],
  ['in', 'In', true],
  ['out', 'Out', true],
  ['lost', 'Lost', true],
  ['restarts', 'Restarts', true],
  ['memory', 'Memory', true],
  ['delay', 'Delay', true],
] as const

/** Head of a column, which sorts by it. */
export function OrderHead(of: { of: string; word: string; isNumber: boolean; selection: Selection }) {
  const { selection, word, isNumber } = of
  const sorted = selection.sort === of.of
  // numbers first from the top, then from the bottom, then as it was
  const [first, second] = isNumber ? [`-${of.of}`, of.of] : [of.of, `-${of.of}`]
  const next = !sorted ? first : selection.desc === isNumber ? second : ''
  return (
    <th
      scope="col"
      class={isNumber ? 'n' : ''}
      {...(sorted && { 'aria-sort': selection.desc ? ('descending' as const) : ('ascending' as const) })}
    >
      <button type="button" class="plain" onClick={() => setQuery({ sort: next })}>
        {word}
        {sorted && <span aria-hidden="true">{selection.desc ? ' ↓' : ' ↑'}</span>}
      </button>
    </th>
  )
}

/** The same for a phone, where the table has no heads. */
export function OrderChoice({ selection: { sort, desc } }: { selection: Selection }) {
  return (
    <select
      class={sort ? 'order chosen' : 'order'}
      aria-label="Order"
      value={`${desc ? '-' : ''}${sort}`}
      onChange={(event) => setQuery({ sort: event.currentTarget.value })}
    >
      <option value="">Order: trouble first</option>
      {COLUMNS.flatMap(([key, word, isNumber]) => {
        const up = { value: key, words: isNumber ? 'least first' : 'A to Z' }
        const down = { value: `-${key}`, words: isNumber ? 'most first' : 'Z to A' }
        return (isNumber ? [down, up] : [up, down]).map(({ value, words }) => (
          <option key={value} value={value}>
            {word}, {words}
          </option>
        ))
      })}
    </select>
  )
}
