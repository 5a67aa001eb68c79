import { useState } from 'preact/hooks'
import { restartWorker, startWorker, stopWorker, wordsOf } from './api.js'
import { Confirm } from './dialog.js'
import type { PageWorker } from './fleet.js'
import { clean } from './format.js'
import type { Say } from './toasts.js'

type Asked = { what: 'stop' | 'restart'; worker: PageWorker }

export interface Commands {
  busy: ReadonlySet<string>
  /** Asks first. */
  ask(what: Asked['what'], worker: PageWorker): void
  /** Starts it again with the parameters that it had. */
  start(worker: PageWorker): void
  /** The question, while there is one. */
  dialog: preact.ComponentChildren
}

/** What can be done to workers; what became of it is said. */
export function useCommands(say: Say): Commands {
  const [asked, setAsked] = useState<Asked>()
  const [busy, setBusy] = useState<ReadonlySet<string>>(new Set())

  const act = async (nickname: string, what: () => Promise<{ result: string; ms: number }>) => {
    setBusy((names) => new Set(names).add(nickname))
    try {
      const { result, ms } = await what()
      say({ text: `${nickname}: ${result === 'unchanged' ? 'it was so already' : result} (${Math.round(ms)} ms)` })
    } catch (error) {
      say({ ...wordsOf(error), bad: true })
    }
    setBusy((names) => new Set([...names].filter((name) => name !== nickname)))
  }

  return {
    busy,
    ask: (what, worker) => setAsked({ what, worker }),
    start: ({ nickname, type, params }) => act(nickname, () => startWorker(type, nickname, params)),
    dialog: asked && (
      <Confirm
        {...questionOf(asked)}
        onYes={() => {
          const { nickname } = asked.worker
          act(nickname, () => (asked.what === 'stop' ? stopWorker(nickname) : restartWorker(nickname)))
        }}
        onClose={() => setAsked(undefined)}
      />
    ),
  }
}

function questionOf({ what, worker }: Asked) {
  const { nickname, type } = worker
  const others = worker.follower.filter((name) => name !== nickname).map(clean)
  const names = others.length > 5 ? `${others.slice(0, 4).join(', ')} and ${others.length - 4} more` : others.join(', ')
  const heard = others.length ? ` ${names} will hear nothing from it meanwhile.` : ''
  return what === 'stop'
    ? {
        title: `Stop ${nickname}?`,
        text: `${clean(type)} ends its work and does not come back by itself.${heard}`,
        yes: 'Stop it',
      }
    : {
        title: `Restart ${nickname}?`,
        text: `${clean(type)} ends its run and begins another, on the newest version of its file.${heard}`,
        yes: 'Restart it',
      }
}

interface ButtonsProps {
  worker: PageWorker
  operator: boolean
  commands: Commands
}

/** Start, or restart and stop; nothing for who may only look, nor for what is not ours to command. */
export function Buttons({ worker, operator, commands }: ButtonsProps) {
  const { nickname, wanted, system, foreign } = worker
  if (!operator || foreign) return null
  const disabled = commands.busy.has(nickname)
  if (!wanted) {
    return (
      <button type="button" disabled={disabled} onClick={() => commands.start(worker)} aria-label={`Start ${nickname}`}>
        Start
      </button>
    )
  }
  return (
    <>
      <button
        type="button"
        disabled={disabled}
        onClick={() => commands.ask('restart', worker)}
        aria-label={`Restart ${nickname}`}
      >
        Restart
      </button>
      {!system && (
        <button
          type="button"
          disabled={disabled}
          onClick={() => commands.ask('stop', worker)}
          aria-label={`Stop ${nickname}`}
        >
          Stop
        </button>
      )}
    </>
  )
}
