import { clean } from './format.js'
import type { Field } from './params.js'

interface FieldProps {
  field: Field
  value: string | boolean | undefined
  onChange: (value: string | boolean) => void
}

/** The input for one parameter, with its default in place. */
export function ParamField({ field, value, onChange }: FieldProps) {
  const { name, kind, description, required, standard } = field
  if (kind === 'boolean') {
    return (
      <label class="check field">
        <input
          type="checkbox"
          checked={typeof value === 'boolean' ? value : standard === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />{' '}
        {name}
        {description && <small>{clean(description)}</small>}
      </label>
    )
  }
  return (
    <div class="field">
      <label for={idOf(field)}>
        {name || 'All parameters'} {required && <em>needed</em>}
      </label>
      <Input field={field} value={typeof value === 'string' ? value : ''} onChange={onChange} />
      {description && <small id={`${idOf(field)}-note`}>{clean(description)}</small>}
    </div>
  )
}

const idOf = ({ name }: Field): string => `param-${name}`

function Input({ field, value, onChange }: FieldProps & { value: string }) {
  const { kind, required, standard, description } = field
  const named = { id: idOf(field), ...(description && { 'aria-describedby': `${idOf(field)}-note` }) }
  const placeholder = standard === undefined ? '' : typeof standard === 'string' ? standard : JSON.stringify(standard)
  if (kind === 'choice') {
    return (
      <select {...named} value={value} required={required} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{standard === undefined ? '–' : `${placeholder} (default)`}</option>
        {field.choices.map((choice, i) => (
          <option key={String(choice)} value={String(i)}>
            {String(choice)}
          </option>
        ))}
      </select>
    )
  }
  if (kind === 'json') {
    return (
      <textarea
        {...named}
        rows={3}
        value={value}
        required={required}
        placeholder={placeholder}
        spellcheck={false}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    )
  }
  return (
    <input
      {...named}
      type={kind === 'number' ? 'number' : 'text'}
      value={value}
      required={required}
      placeholder={placeholder}
      autocomplete="off"
      spellcheck={false}
      onInput={(event) => onChange(event.currentTarget.value)}
      {...(kind === 'number' && { step: field.integer ? '1' : 'any' })}
      {...(field.min !== undefined && { min: field.min })}
      {...(field.max !== undefined && { max: field.max })}
    />
  )
}
