import { clean } from './format.js'
import type { Field } from './params.js'

interface FieldProps {
  field: Field
  value: string | boolean | undefined
  problem: string | undefined
  onChange: (value: string | boolean) => void
}

/** The input for one parameter, with its default in place, and what is wrong with what was entered. */
export function ParamField({ field, value, problem, onChange }: FieldProps) {
  const { name, kind, required, standard } = field
  const told = aboutOf(field)
  const note = (
    <>
      {told && <small id={`${idOf(field)}-note`}>{told}</small>}
      {problem && (
        <small id={`${idOf(field)}-problem`} class="problem" role="alert">
          {clean(problem)}
        </small>
      )}
    </>
  )
  if (kind === 'boolean') {
    return (
      <div class="field">
        <label class="check">
          <input
            type="checkbox"
            checked={typeof value === 'boolean' ? value : standard === true}
            onChange={(event) => onChange(event.currentTarget.checked)}
            {...describedBy(field, problem)}
          />{' '}
          {name}
        </label>
        {note}
      </div>
    )
  }
  return (
    <div class="field">
      <label for={idOf(field)}>
        {name || 'All of them'} {required && <em>needed</em>}
      </label>
      <Input field={field} value={typeof value === 'string' ? value : ''} problem={problem} onChange={onChange} />
      {note}
    </div>
  )
}

/** Without blanks: lists of ids are parted by them. */
const idOf = ({ name }: Field): string => `param-${encodeURIComponent(name)}`
const aboutOf = ({ description, note }: Field): string => clean([description, note].filter(Boolean).join(' · '))

function describedBy(field: Field, problem: string | undefined) {
  const ids = [aboutOf(field) && `${idOf(field)}-note`, problem && `${idOf(field)}-problem`].filter(Boolean)
  return {
    ...(ids.length && { 'aria-describedby': ids.join(' ') }),
    ...(problem && { 'aria-invalid': true }),
  }
}

function Input({ field, value, problem, onChange }: FieldProps & { value: string }) {
  const { kind, required, standard } = field
  const common = { id: idOf(field), value, required, ...describedBy(field, problem) }
  const placeholder = standard === undefined ? '' : shown(standard, kind)
  if (kind === 'choice') {
    return (
      <select {...common} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{standard === undefined ? '–' : `${placeholder} (default)`}</option>
        {field.choices.map((choice, i) => (
          <option key={String(choice)} value={String(i)}>
            {String(choice)}
          </option>
        ))}
      </select>
    )
  }
  if (kind === 'json' || kind === 'lines') {
    return (
      <textarea
        {...common}
        rows={3}
        placeholder={placeholder}
        spellcheck={false}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    )
  }
  return (
    <input
      {...common}
      type="text"
      inputMode={kind === 'number' ? 'decimal' : 'text'}
      placeholder={placeholder}
      autocomplete="off"
      spellcheck={false}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  )
}

/** A default, as it would be entered. */
function shown(standard: unknown, kind: Field['kind']): string {
  if (kind === 'lines' && Array.isArray(standard) && standard.length) return standard.join('\n')
  return typeof standard === 'string' && kind !== 'json' ? standard : JSON.stringify(standard)
}
