import { useState } from 'preact/hooks'
import type { TypeView } from '../../fleet/views.js'
import { callOperation, wordsOf } from './api.js'
import { Confirm } from './dialog.js'
import type { PageWorker } from './fleet.js'
import { clean } from './format.js'
import { useLastKnown } from './last-known.js'
import { ParamForm, useParams } from './param-form.js'

/** What every worker can be told, beside its own operations. */
const BUILT_IN: TypeView['operations'] = {
  logLevel: {
    description: 'How much this run logs, until it ends',
    args: {
      type: 'object',
      required: ['level'],
      properties: { level: { enum: ['trace', 'debug', 'info', 'warn', 'error'] } },
      additionalProperties: false,
    },
  },
}

/** The operations of a worker, each with the form of its arguments, and what it returned. */
export function Operations({ worker, type }: { worker: PageWorker; type: TypeView | undefined }) {
  const { nickname, status } = worker
  const all = { ...useLastKnown(worker.type, type)?.operations, ...BUILT_IN }
  const [chosen, setChosen] = useState('')
  const name = chosen in all ? chosen : (Object.keys(all)[0] ?? '')
  const operation = all[name]
  return (
    <section aria-labelledby="operations">
      <h2 id="operations">Operations</h2>
      <div class="field">
        <label for="operation">Operation</label>
        <select id="operation" value={name} onChange={(event) => setChosen(event.currentTarget.value)}>
          {Object.keys(all).map((one) => (
            <option key={one} value={one}>
              {clean(one)}
            </option>
          ))}
        </select>
        {operation?.description && <small>{clean(operation.description)}</small>}
      </div>
      {operation && (
        <Call key={name} nickname={nickname} name={name} args={operation.args} running={status === 'started'} />
      )}
    </section>
  )
}

interface CallProps {
  nickname: string
  name: string
  args: Record<string, unknown>
  running: boolean
}

function Call({ nickname, name, args, running }: CallProps) {
  const form = useParams(args)
  const [busy, setBusy] = useState(false)
  const [result, setResult] = useState<{ value: unknown } | { text: string; remedy: string }>()
  const [asked, setAsked] = useState<Record<string, unknown>>()
  const ask = (event: Event) => {
    event.preventDefault()
    setAsked(form.read())
  }
  const send = async (given: Record<string, unknown>) => {
    setBusy(true)
    setResult(undefined)
    try {
      setResult(await callOperation(nickname, name, given))
    } catch (error) {
      if (!form.refused(error)) setResult(wordsOf(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <form onSubmit={ask} noValidate>
      <ParamForm form={form} legend="Arguments" />
      <button type="submit" disabled={busy || !running}>
        {busy ? 'Sending…' : `Send ${name}`}
      </button>
      {!running && <small class="faint">It does not run at present: only a running worker can be sent anything.</small>}
      <div aria-live="polite">
        {result && 'value' in result && (
          <>
            <p class="small faint">It returned</p>
            <pre>{clean(JSON.stringify(result.value, null, 2))}</pre>
          </>
        )}
        {result && 'text' in result && (
          <div class="form-error">
            <p>{result.text}</p>
            <p class="remedy">{result.remedy}</p>
          </div>
        )}
      </div>
      {asked && (
        <Confirm {...questionOf(nickname, name, asked)} onYes={() => send(asked)} onClose={() => setAsked(undefined)} />
      )}
    </form>
  )
}

function questionOf(nickname: string, name: string, args: Record<string, unknown>) {
  const none = Object.keys(args).length === 0
  return {
    title: `Send ${clean(name)} to ${nickname}?`,
    text: `It carries out the operation ${clean(name)} at once, ${none ? 'without arguments' : 'with these arguments'}; the page can not take back what it does.`,
    ...(!none && { code: clean(JSON.stringify(args, null, 2)) }),
    yes: 'Send it',
  }
}
