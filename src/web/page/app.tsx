import { useCallback, useEffect, useState } from 'preact/hooks'
import { readSession } from './api.js'
import { Events } from './events.js'
import { currentFleet, follow } from './fleet.js'
import { FlowView } from './flow-view.js'
import { Figures, Header } from './header.js'
import { Help, useKeys } from './keys.js'
import { LatestEvents } from './latest.js'
import { Nodes, NodesInShort } from './nodes.js'
import { useSeconds } from './now.js'
import { usePlace } from './places.js'
import { Problems } from './problem-list.js'
import { problemsOf } from './problems.js'
import { useRoute } from './route.js'
import { StartDialog } from './start-dialog.js'
import { type Toast, Toasts } from './toasts.js'
import { WorkerView } from './worker-view.js'
import { Workers } from './workers.js'

/** The whole page. */
export function App() {
  const [fleet, setFleet] = useState(currentFleet)
  const [role, setRole] = useState<'viewer' | 'operator'>()
  const operator = role === 'operator'
  const live = fleet.link === 'live'
  const [open, setOpen] = useState<'start' | 'help'>()
  const [toasts, setToasts] = useState<Toast[]>([])
  const { view, name, query } = useRoute()
  usePlace(view, name)
  useSeconds() // for what is told with its age
  useEffect(() => follow(setFleet), [])
  useEffect(() => {
    if (live)
      readSession().then(
        ({ role }) => setRole(role),
        () => {}, // the connection's state says it
      )
  }, [live])
  const say = useCallback((toast: Omit<Toast, 'id'>) => {
    const id = Math.random()
    setToasts((all) => [...all, { ...toast, id }])
    setTimeout(() => setToasts((all) => all.filter((one) => one.id !== id)), toast.bad ? 15_000 : 5_000)
  }, [])
  const start = useCallback(() => operator && setOpen('start'), [operator])
  const help = useCallback(() => setOpen('help'), [])
  useKeys({ start, help })

  const dated = fleet.link !== 'live' && fleet.link !== 'connecting'
  // while the connection is away nothing is known to have lasted longer, or to be nearer
  const now = dated ? fleet.asOf.getTime() : Date.now()
  const problems = problemsOf(fleet, now)
  useEffect(() => {
    const here = view === 'worker' ? `${name} · ` : ''
    document.title = `${problems.length ? `(${problems.length}) ` : ''}${here}${fleet.name || 'HySAS'}`
  }, [problems.length, fleet.name, view, name])

  return (
    <>
      <Header fleet={fleet} view={view} problems={problems.length} viewer={role === 'viewer'} onHelp={help} />
      <main id="main" tabIndex={-1} class={dated ? 'dated' : ''}>
        <Problems problems={problems} now={now} />
        {view === 'fleet' && (
          <>
            <Figures fleet={fleet} problems={problems.length} />
            <Workers fleet={fleet} operator={operator} query={query} say={say} onStart={start} />
            <div class="two">
              <NodesInShort fleet={fleet} />
              <LatestEvents fleet={fleet} />
            </div>
          </>
        )}
        {view === 'worker' && (
          <WorkerView key={name} fleet={fleet} name={name} operator={operator} query={query} say={say} />
        )}
        {view === 'flow' && <FlowView fleet={fleet} query={query} />}
        {view === 'nodes' && <Nodes fleet={fleet} />}
        {view === 'events' && <Events fleet={fleet} query={query} />}
      </main>
      {open === 'start' && <StartDialog types={fleet.types} say={say} onClose={() => setOpen(undefined)} />}
      {open === 'help' && <Help onClose={() => setOpen(undefined)} />}
      <Toasts toasts={toasts} onClose={(id) => setToasts((all) => all.filter((one) => one.id !== id))} />
    </>
  )
}
