/** One input of the form, made from one property of the JSON Schema of a processor's parameters. */
export interface Field {
  /** Empty: the whole of the parameters, as JSON. */
  name: string
  kind: 'text' | 'number' | 'boolean' | 'choice' | 'json'
  description: string
  required: boolean
  /** What is in force where nothing is entered; undefined: nothing. */
  standard: unknown
  choices: readonly unknown[]
  integer: boolean
  min: number | undefined
  max: number | undefined
  pattern: string | undefined
}
/** What was entered, by field: text as typed, or true and false. Not there: nothing was. */
export type Values = Record<string, string | boolean>

type Schema = {
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  enum?: unknown[]
  default?: unknown
  description?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  pattern?: string
}

const WHOLE: Field = {
  ...{ name: '', kind: 'json', description: 'One JSON object', required: false, standard: {}, choices: [] },
  ...{ integer: false, min: undefined, max: undefined, pattern: undefined },
}

/** The fields of a schema; one for all parameters where it doesn't name them; none where there are none. */
export function fieldsOf(schema: Record<string, unknown>): Field[] {
  const { properties, required = [], additionalProperties } = schema as Schema & { additionalProperties?: unknown }
  if (!properties || (Object.keys(properties).length === 0 && additionalProperties !== false)) return [WHOLE]
  return Object.entries(properties).map(([name, of]) => ({
    name,
    kind: kindOf(of),
    description: of.description ?? '',
    required: required.includes(name) && of.default === undefined,
    standard: of.default,
    choices: of.enum ?? [],
    integer: of.type === 'integer',
    min:
      of.minimum ?? (of.type === 'integer' && of.exclusiveMinimum !== undefined ? of.exclusiveMinimum + 1 : undefined),
    max: of.maximum,
    pattern: of.pattern,
  }))
}

/** Parameters from what was entered; what was left alone is left out, so that the processor's defaults apply. */
export function paramsOf(fields: readonly Field[], values: Values): Record<string, unknown> {
  const params: Record<string, unknown> = {}
  for (const field of fields) {
    const value = values[field.name]
    if (value === undefined || value === '') continue
    const read = typeof value === 'boolean' ? value : readText(field, value)
    if (field.name === '') return read as Record<string, unknown>
    params[field.name] = read
  }
  return params
}

/** What is wrong with what was entered for a field, for people; undefined where nothing is. */
export function problemOf(field: Field, value: string | boolean | undefined): string | undefined {
  const { kind, required, min, max, integer, pattern } = field
  if (value === undefined || value === '') return required ? 'This is needed.' : undefined
  if (typeof value === 'boolean') return undefined
  if (kind === 'json') {
    try {
      readText(field, value)
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
  if (kind === 'text') return pattern && !fits(pattern, value) ? `It must match ${pattern}.` : undefined
  if (kind !== 'number') return undefined
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number)) return 'This is not a number.'
  if (integer && !Number.isInteger(number)) return 'This must be a whole number.'
  if (min !== undefined && number < min) return `The least is ${min}.`
  if (max !== undefined && number > max) return `The most is ${max}.`
  return undefined
}

/** The problems that the API names, by field; `all` tells whether every one of them is about a field. */
export function problemsByField(fields: readonly Field[], problems: string) {
  const known: Record<string, string> = {}
  let all = problems !== ''
  for (const problem of problems.split('; ')) {
    const field = fields.find(({ name }) => name && new RegExp(`^"?${name}"?(?=[\\s:.[])`).test(problem))
    if (field) known[field.name] = problem
    else all = false
  }
  return { known, all }
}

function fits(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value)
  } catch {
    return true // not a pattern of ours to judge
  }
}

function kindOf({ type, enum: choices }: Schema): Field['kind'] {
  if (choices) return 'choice'
  if (type === 'string') return 'text'
  if (type === 'number' || type === 'integer') return 'number'
  return type === 'boolean' ? 'boolean' : 'json'
}

function readText({ name, kind, choices }: Field, text: string): unknown {
  if (kind === 'text') return text
  if (kind === 'number') return Number(text)
  if (kind === 'choice') return choices[Number(text)]
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(
      `${name || 'The parameters'}: this is not JSON (${error instanceof Error ? error.message : error}).`,
    )
  }
}
