import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from './api.js'
import { ParamField } from './param-field.js'
import { type Field, fieldsOf, paramsOf, problemOf, problemsByField, type Values } from './params.js'

export interface ParamsOfForm {
  fields: readonly Field[]
  values: Values
  problems: Readonly<Record<string, string>>
  set(name: string, value: string | boolean): void
  /** What was entered, or undefined where some of it does not fit; then that is said in place. */
  read(): Record<string, unknown> | undefined
  /** Says in place what the API refused; false where that is not about a field. */
  refused(error: unknown): boolean
}

/** A form made from a JSON Schema. */
export function useParams(schema: Record<string, unknown> | undefined): ParamsOfForm {
  const [values, setValues] = useState<Values>({})
  const [problems, setProblems] = useState<Record<string, string>>({})
  const fields = schema ? fieldsOf(schema) : []
  return {
    fields,
    values,
    problems,
    set(name, value) {
      setValues((all) => ({ ...all, [name]: value }))
      setProblems(({ [name]: _, ...rest }) => rest)
    },
    read() {
      const found = Object.fromEntries(
        fields.flatMap((field) => {
          const problem = problemOf(field, values[field.name])
          return problem ? [[field.name, problem]] : []
        }),
      )
      setProblems(found)
      return Object.keys(found).length ? undefined : paramsOf(fields, values)
    },
    refused(error) {
      if (!(error instanceof ApiError) || (error.code !== 'BAD_PARAMS' && error.code !== 'BAD_ARGS')) return false
      const found = problemsByField(fields, String(error.details.problems ?? ''))
      setProblems(found.known)
      return found.all
    },
  }
}

/** `focus` puts the focus on the first field that has a problem, as it is drawn: never a moment later, while somebody types. */
export function useFocusOnProblem() {
  const form = useRef<HTMLFormElement>(null)
  const [asked, setAsked] = useState(0)
  useLayoutEffect(() => {
    if (asked) form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus()
  }, [asked])
  return { form, focus: () => setAsked((n) => n + 1) }
}

export function ParamForm({ form, legend }: { form: ParamsOfForm; legend: string }) {
  if (form.fields.length === 0) return null
  return (
    <fieldset>
      <legend>{legend}</legend>
      {form.fields.map((field) => (
        <ParamField
          key={field.name}
          field={field}
          value={form.values[field.name]}
          problem={form.problems[field.name]}
          onChange={(value) => form.set(field.name, value)}
        />
      ))}
    </fieldset>
  )
}
