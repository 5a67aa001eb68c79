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
    <label class="field">
      <span>
        {name || 'All parameters'} {required && <em>needed</em>}
      </span>
      <Input field={field} value={typeof value === 'string' ? value : ''} onChange={onChange} />
      {description && <small>{clean(description)}</small>}
    </label>
  )
}

function Input({ field, value, onChange }: FieldProps & { value: string }) {
  const { kind, required, standard } = field
  const placeholder = standard === undefined ? '' : typeof standard === 'string' ? standard : JSON.stringify(standard)
  if (kind === 'choice') {
    return (
      <select value={value} required={required} onChange={(event) => onChange(event.currentTarget.value)}>
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
