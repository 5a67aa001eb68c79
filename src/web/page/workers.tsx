import { useEffect, useState } from 'preact/hooks'
import { ApiError, restartWorker, startWorker, stopWorker } from './api.js'
import { Confirm } from './dialog.js'
import type { Fleet, PageWorker } from './fleet.js'
import { isTroubled } from './problems.js'
import type { Say } from './toasts.js'
import { WorkerRow } from './worker-row.js'

type Asked = { what: 'stop' | 'restart'; worker: PageWorker }

/** All workers, troubled ones first, with what can be done to them. */
export function Workers(of: { fleet: Fleet; operator: boolean; say: Say; onStart: () => void }) {
  const { fleet, operator, say, onStart } = of
  const [search, setSearch] = useSearch()
  const [asked, setAsked] = useState<Asked>()
  const [busy, setBusy] = useState<ReadonlySet<string>>(new Set())
  const all = [...fleet.workers.values()]
  const shown = all.filter((worker) => matches(worker, search)).sort(byUrgency)

  const act = async (nickname: string, what: () => Promise<{ result: string; ms: number }>) => {
    setBusy((names) => new Set(names).add(nickname))
    try {
      const { result, ms } = await what()
      say({ text: `${nickname}: ${result === 'unchanged' ? 'it was so already' : result} (${Math.round(ms)} ms)` })
    } catch (error) {
      const remedy = error instanceof ApiError ? error.remedy : ''
      say({ text: error instanceof Error ? error.message : String(error), remedy, bad: true })
    }
    setBusy((names) => new Set([...names].filter((name) => name !== nickname)))
  }

  return (
    <section aria-labelledby="workers">
      <div class="section-head">
        <h2 id="workers">Workers</h2>
        <input
          type="search"
          placeholder="Search name, type, node, status"
          aria-label="Search workers"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
        {operator && (
          <button type="button" class="primary" onClick={onStart}>
            Start a worker
          </button>
        )}
      </div>
      {shown.length === 0 ? (
        <p class="empty">{emptyText(fleet, all.length, operator)}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Worker</th>
              <th scope="col">Status</th>
              <th scope="col">Node</th>
              <th scope="col" class="n">
                Heartbeat
              </th>
              <th scope="col" class="n">
                In
              </th>
              <th scope="col" class="n">
                Out
              </th>
              <th scope="col" class="n">
                Restarts
              </th>
              <th scope="col" class="n">
                Memory
              </th>
              <th scope="col">
                <span class="hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((worker) => (
              <WorkerRow
                key={worker.nickname}
                worker={worker}
                operator={operator}
                busy={busy.has(worker.nickname)}
                onAsk={(what) => setAsked({ what, worker })}
                onStart={() => act(worker.nickname, () => startWorker(worker.type, worker.nickname, worker.params))}
              />
            ))}
          </tbody>
        </table>
      )}
      {asked && (
        <Confirm
          {...wordsOf(asked)}
          onYes={() => {
            const { nickname } = asked.worker
            act(nickname, () => (asked.what === 'stop' ? stopWorker(nickname) : restartWorker(nickname)))
          }}
          onClose={() => setAsked(undefined)}
        />
      )}
    </section>
  )
}

function wordsOf({ what, worker }: Asked) {
  const { nickname, type, follower } = worker
  const heard = follower.length ? ` ${follower.join(', ')} will hear nothing from it meanwhile.` : ''
  return what === 'stop'
    ? {
        title: `Stop ${nickname}?`,
        text: `${type} ends its work and does not come back by itself.${heard}`,
        yes: 'Stop it',
      }
    : { title: `Restart ${nickname}?`, text: `${type} ends its run and begins another.${heard}`, yes: 'Restart it' }
}

function emptyText({ link, types }: Fleet, all: number, operator: boolean): string {
  if (link === 'connecting') return 'Reading the fleet…'
  if (all > 0) return 'No worker fits the search.'
  const example = types.find(({ type }) => type === 'Demo') ? 'Demo DemoName' : '<type> <nickname>'
  return `No workers yet. ${operator ? 'Start one here, or by' : 'Start one by'} “hysas start ${example}”.`
}

function matches(worker: PageWorker, search: string): boolean {
  const text = `${worker.nickname} ${worker.type} ${worker.node} ${worker.status}`.toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

function byUrgency(a: PageWorker, b: PageWorker): number {
  const urgency = (worker: PageWorker) => (isTroubled(worker) ? 0 : worker.wanted ? 1 : 2)
  return urgency(a) - urgency(b) || a.nickname.localeCompare(b.nickname)
}

/** The search, kept in the address. */
function useSearch(): [string, (text: string) => void] {
  const [search, setSearch] = useState(() => new URLSearchParams(location.search).get('q') ?? '')
  useEffect(() => {
    const url = new URL(location.href)
    if (search) url.searchParams.set('q', search)
    else url.searchParams.delete('q')
    if (url.href !== location.href) history.replaceState(null, '', url)
  }, [search])
  return [search, setSearch]
}
