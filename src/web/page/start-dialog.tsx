import { useEffect, useState } from 'preact/hooks'
import type { TypeView } from '../../fleet/views.js'
import { startWorker, wordsOf } from './api.js'
import { Dialog } from './dialog.js'
import { clean } from './format.js'
import { useLastKnown } from './last-known.js'
import { ParamForm, useFocusOnProblem, useParams } from './param-form.js'
import type { Say } from './toasts.js'

const NICKNAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/

interface StartProps {
  types: readonly TypeView[]
  say: Say
  onClose: () => void
}

/** Asks for type, nickname and parameters, by the form that the processor's schema makes. */
export function StartDialog({ types, say, onClose }: StartProps) {
  const usable = types.filter(({ version }) => version !== '').sort((a, b) => a.type.localeCompare(b.type))
  const first = (usable.find(({ builtin }) => !builtin) ?? usable[0])?.type ?? ''
  const [type, setType] = useState(first)
  useEffect(() => {
    if (type === '') setType(first) // opened before any type was known
  }, [type, first])
  const [nickname, setNickname] = useState('')
  const chosen = useLastKnown(
    type,
    usable.find((one) => one.type === type),
  )
  const names = usable.map((one) => one.type)
  if (chosen && !names.includes(chosen.type)) names.push(chosen.type)
  return (
    <Dialog title="Start a worker" onClose={onClose}>
      <div class="field">
        <label for="start-type">Type</label>
        <select id="start-type" value={type} onChange={(event) => setType(event.currentTarget.value)}>
          {names.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
        {chosen?.description && <small>{clean(chosen.description)}</small>}
      </div>
      {chosen ? (
        <Form key={type} type={chosen} nickname={nickname} setNickname={setNickname} say={say} onClose={onClose} />
      ) : (
        <p class="empty">No node has a processor that can be started.</p>
      )}
    </Dialog>
  )
}

interface FormProps {
  type: TypeView
  nickname: string
  setNickname: (nickname: string) => void
  say: Say
  onClose: () => void
}

function Form({ type, nickname, setNickname, say, onClose }: FormProps) {
  const form = useParams(type.params)
  const [wrongName, setWrongName] = useState(false)
  const [error, setError] = useState<{ text: string; remedy: string }>()
  const [busy, setBusy] = useState(false)
  const problem = useFocusOnProblem()

  const submit = async (event: Event) => {
    event.preventDefault()
    setError(undefined)
    const named = NICKNAME.test(nickname)
    setWrongName(!named)
    const params = form.read()
    if (!named || !params) return problem.focus()
    setBusy(true)
    try {
      const outcome = await startWorker(type.type, nickname, params)
      say({ text: `${nickname} runs on ${outcome.node || 'a node soon'} (${Math.round(outcome.ms)} ms)` })
      onClose()
    } catch (error) {
      setBusy(false)
      if (form.refused(error)) problem.focus()
      else setError(wordsOf(error))
    }
  }

  return (
    <form ref={problem.form} onSubmit={submit} noValidate>
      <div class="field">
        <label for="start-nickname">
          Nickname <em>needed</em>
        </label>
        <input
          id="start-nickname"
          aria-describedby="start-nickname-note"
          {...(wrongName && { 'aria-invalid': true })}
          value={nickname}
          required
          maxLength={63}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => {
            setNickname(event.currentTarget.value)
            setWrongName(false)
          }}
        />
        <small id="start-nickname-note" class={wrongName ? 'problem' : ''}>
          Unique over the fleet: a letter, then letters, digits, “_” or “-”.
        </small>
      </div>
      <ParamForm form={form} legend="Parameters" />
      {error && (
        <div class="form-error" role="alert">
          <p>{error.text}</p>
          {error.remedy && <p class="remedy">{error.remedy}</p>}
        </div>
      )}
      <div class="buttons">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class="primary" disabled={busy}>
          {busy ? 'Starting…' : 'Start'}
        </button>
      </div>
    </form>
  )
}
