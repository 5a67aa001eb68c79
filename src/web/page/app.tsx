import { useCallback, useEffect, useState } from 'preact/hooks'
import { readSession } from './api.js'
import { Events } from './events.js'
import { currentFleet, follow } from './fleet.js'
import { Header } from './header.js'
import { Nodes } from './nodes.js'
import { Problems } from './problem-list.js'
import { problemsOf } from './problems.js'
import { StartDialog } from './start-dialog.js'
import { type Toast, Toasts } from './toasts.js'
import { Workers } from './workers.js'

/** The whole page. */
export function App() {
  const [fleet, setFleet] = useState(currentFleet)
  const [operator, setOperator] = useState(false)
  const [starting, setStarting] = useState(false)
  const [toasts, setToasts] = useState<Toast[]>([])
  useEffect(() => follow(setFleet), [])
  useEffect(() => {
    readSession().then(
      ({ role }) => setOperator(role === 'operator'),
      () => {}, // the connection's state says it
    )
  }, [])
  const say = useCallback((toast: Omit<Toast, 'id'>) => {
    const id = Math.random()
    setToasts((all) => [...all, { ...toast, id }])
    setTimeout(() => setToasts((all) => all.filter((one) => one.id !== id)), toast.bad ? 15_000 : 5_000)
  }, [])

  const problems = problemsOf(fleet)
  useEffect(() => {
    document.title = `${problems.length ? `(${problems.length}) ` : ''}${fleet.name || 'HySAS'}`
  }, [problems.length, fleet.name])

  return (
    <>
      <Header fleet={fleet} problems={problems.length} />
      <main class={fleet.link === 'live' || fleet.link === 'connecting' ? '' : 'dated'}>
        <Problems problems={problems} />
        <Workers fleet={fleet} operator={operator} say={say} onStart={() => setStarting(true)} />
        <div class="two">
          <Nodes fleet={fleet} />
          <Events fleet={fleet} />
        </div>
      </main>
      {starting && <StartDialog types={fleet.types} say={say} onClose={() => setStarting(false)} />}
      <Toasts toasts={toasts} onClose={(id) => setToasts((all) => all.filter((one) => one.id !== id))} />
    </>
  )
}
