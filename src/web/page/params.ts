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
}

const WHOLE: Field = {
  ...{ name: '', kind: 'json', description: 'One JSON object', required: false, standard: {}, choices: [] },
  ...{ integer: false, min: undefined, max: undefined },
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
