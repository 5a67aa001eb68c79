import type { Commands } from './commands.js'
import { useCommands } from './commands.js'
import type { Fleet, PageWorker } from './fleet.js'
import { clean, count } from './format.js'
import { useSearchKey } from './keys.js'
import { setQuery } from './route.js'
import { type Selection, select, selectionOf } from './selection.js'
import { stateOf } from './state.js'
import type { Say } from './toasts.js'
import { useWindow } from './window.js'
import { COLUMNS, OrderChoice, OrderHead } from './worker-order.js'
import { WorkerRow } from './worker-row.js'

/** All workers, troubled ones first, with what can be done to them. Search, filters and order are in the address. */
export function Workers(of: {
  fleet: Fleet
  operator: boolean
  query: URLSearchParams
  say: Say
  onStart: () => void
}) {
  const { fleet, operator, say, onStart } = of
  const commands = useCommands(say)
  const all = [...fleet.workers.values()]
  const selection = selectionOf(of.query)
  const shown = select(all, selection)
  return (
    <section aria-labelledby="workers">
      <div class="section-head">
        <h2 id="workers">
          Workers{' '}
          <span class="faint">
            {shown.length < all.length ? `${count(shown.length)} of ${count(all.length)}` : count(all.length)}
          </span>
        </h2>
        {operator && (
          <button type="button" class="primary" onClick={onStart}>
            Start a worker
          </button>
        )}
      </div>
      <Filters all={all} selection={selection} />
      {shown.length === 0 ? (
        <p class="empty">{emptyText(fleet, all.length, operator)}</p>
      ) : (
        <Table shown={shown} selection={selection} operator={operator} commands={commands} />
      )}
      {commands.dialog}
    </section>
  )
}

function Filters({ all, selection }: { all: readonly PageWorker[]; selection: Selection }) {
  useSearchKey()
  const choices = (of: (worker: PageWorker) => string) => [...new Set(all.map(of))].filter(Boolean).sort()
  const some = selection.q || selection.type || selection.node || selection.status
  return (
    <search class="filters">
      <input
        type="search"
        id="search"
        placeholder="Search name, type, node, status"
        aria-label="Search workers"
        value={selection.q}
        onInput={(event) => setQuery({ q: event.currentTarget.value })}
      />
      <Choice name="type" label="Type" value={selection.type} choices={choices(({ type }) => type)} />
      <Choice name="node" label="Node" value={selection.node} choices={choices(({ node }) => node)} />
      <Choice name="status" label="Status" value={selection.status} choices={choices(stateOf)} />
      <OrderChoice selection={selection} />
      {some && (
        <button type="button" class="quiet" onClick={() => setQuery({ q: '', type: '', node: '', status: '' })}>
          Show all
        </button>
      )}
    </search>
  )
}

interface ChoiceProps {
  name: string
  label: string
  value: string
  choices: readonly string[]
  /** What else of the address changes with it. */
  also?: Readonly<Record<string, string>>
}

/** A filter that is kept in the address. */
export function Choice(of: ChoiceProps) {
  const { name, label, value, also } = of
  const choices = value && !of.choices.includes(value) ? [value, ...of.choices] : of.choices
  return (
    <select
      aria-label={label}
      class={value ? 'chosen' : ''}
      value={value}
      onChange={(event) => setQuery({ [name]: event.currentTarget.value, ...also })}
    >
      <option value="">{label}: all</option>
      {choices.map((one) => (
        <option key={one} value={one}>
          {clean(one)}
        </option>
      ))}
    </select>
  )
}

interface TableProps {
  shown: readonly PageWorker[]
  selection: Selection
  operator: boolean
  commands: Commands
}

function Table({ shown, selection, operator, commands }: TableProps) {
  const { ref, from, to, above, below } = useWindow(shown.length)
  return (
    <table class="workers" aria-rowcount={shown.length + 1}>
      <thead>
        <tr>
          {COLUMNS.map(([key, word, isNumber]) => (
            <OrderHead key={key} of={key} word={word} isNumber={isNumber} selection={selection} />
          ))}
          <th scope="col">
            <span class="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody ref={ref}>
        {above > 0 && <Space height={above} />}
        {shown.slice(from, to).map((worker, i) => (
          <WorkerRow
            key={worker.nickname}
            index={from + i + 2}
            worker={worker}
            operator={operator}
            commands={commands}
            busy={commands.busy.has(worker.nickname)}
          />
        ))}
        {below > 0 && <Space height={below} />}
      </tbody>
    </table>
  )
}

const Space = ({ height }: { height: number }) => (
  <tr class="space">
    <td colSpan={11} height={height} />
  </tr>
)

function emptyText({ known, types }: Fleet, all: number, operator: boolean): string {
  if (!known) return 'Reading the fleet…'
  if (all > 0) return 'No worker fits the search.'
  const example = types.find(({ type }) => type === 'Demo') ? 'Demo DemoName' : '<type> <nickname>'
  return `No workers yet. ${operator ? 'Start one here, or by' : 'Start one by'} “hysas start ${example}”.`
}
