import { useState } from 'preact/hooks'
import type { TypeView } from '../../fleet/views.js'
import { ApiError, startWorker } from './api.js'
import { Dialog } from './dialog.js'
import { clean } from './format.js'
import { ParamField } from './param-field.js'
import { fieldsOf, paramsOf, type Values } from './params.js'
import type { Say } from './toasts.js'

/** Asks for type, nickname and parameters, by the form that the processor's schema makes. */
export function StartDialog({ types, say, onClose }: { types: readonly TypeView[]; say: Say; onClose: () => void }) {
  const usable = types.filter(({ version }) => version !== '').sort((a, b) => a.type.localeCompare(b.type))
  const [type, setType] = useState(usable.find(({ builtin }) => !builtin)?.type ?? usable[0]?.type ?? '')
  const [nickname, setNickname] = useState('')
  const [values, setValues] = useState<Values>({})
  const [error, setError] = useState<{ text: string; remedy: string }>()
  const [busy, setBusy] = useState(false)
  const chosen = usable.find((one) => one.type === type)
  const fields = chosen ? fieldsOf(chosen.params) : []

  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    setError(undefined)
    setBusy(true)
    try {
      const outcome = await startWorker(type, nickname, paramsOf(fields, values))
      say({ text: `${nickname} runs on ${outcome.node || 'a node soon'} (${Math.round(outcome.ms)} ms)` })
      onClose()
    } catch (error) {
      const remedy = error instanceof ApiError ? error.remedy : ''
      setError({ text: error instanceof Error ? error.message : String(error), remedy })
      setBusy(false)
    }
  }

  return (
    <Dialog title="Start a worker" onClose={onClose}>
      <form onSubmit={submit}>
        <div class="field">
          <label for="start-type">Type</label>
          <select
            id="start-type"
            value={type}
            onChange={(event) => {
              setType(event.currentTarget.value)
              setValues({})
            }}
          >
            {usable.map((one) => (
              <option key={one.type} value={one.type}>
                {one.type}
              </option>
            ))}
          </select>
          {chosen?.description && <small>{clean(chosen.description)}</small>}
        </div>
        <div class="field">
          <label for="start-nickname">Nickname</label>
          <input
            id="start-nickname"
            aria-describedby="start-nickname-note"
            value={nickname}
            required
            maxLength={63}
            pattern="[A-Za-z][A-Za-z0-9_\-]*"
            title="A letter, then letters, digits, _ or -"
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setNickname(event.currentTarget.value)}
          />
          <small id="start-nickname-note">Unique over the fleet: a letter, then letters, digits, “_” or “-”.</small>
        </div>
        {fields.length > 0 && (
          <fieldset>
            <legend>Parameters</legend>
            {fields.map((field) => (
              <ParamField
                key={`${type} ${field.name}`}
                field={field}
                value={values[field.name]}
                onChange={(value) => setValues((all) => ({ ...all, [field.name]: value }))}
              />
            ))}
          </fieldset>
        )}
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
          <button type="submit" class="primary" disabled={busy || !type}>
            {busy ? 'Starting…' : 'Start'}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
