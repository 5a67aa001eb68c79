import { choicesOf, formsOf, inWords, isTexts, type Schema } from './schema.js'

/** One input of the form, made from one property of the JSON Schema of a processor's parameters. */
export interface Field {
  /** Empty: the whole of the parameters, as JSON. */
  name: string
  kind: 'text' | 'number' | 'boolean' | 'choice' | 'lines' | 'json'
  description: string
  /** How to write it, where that is not plain. */
  note: string
  required: boolean
  /** What is sent of a needed one where nothing is entered; undefined: nothing, so something must be. */
  empty: false | null | undefined
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

const WHOLE: Field = {
  ...{ name: '', kind: 'json', description: 'One JSON object', note: '', required: false, empty: undefined },
  ...{ standard: {}, choices: [], integer: false, min: undefined, max: undefined, pattern: undefined },
}

/** The fields of a schema; one for all parameters where it doesn't name them; none where there are none. */
export function fieldsOf(schema: Record<string, unknown>): Field[] {
  const { properties, required = [], additionalProperties }: Schema = schema
  if (!properties || (Object.keys(properties).length === 0 && additionalProperties !== false)) return [WHOLE]
  return Object.entries(properties).map(([name, of]) => fieldOf(name, of, required.includes(name)))
}

function fieldOf(name: string, of: Schema, named: boolean): Field {
  const { forms, nullable } = formsOf(of)
  const [only = {}] = forms
  const choices = choicesIn(forms, nullable)
  // left empty, the default is in force: null has to be written then
  const writesNull = nullable && (of.default ?? null) !== null
  const kind = choices.length ? 'choice' : forms.length > 1 || writesNull ? 'json' : kindOf(only)
  const needed = named && of.default === undefined
  const empty = !needed || kind === 'choice' ? undefined : kind === 'boolean' ? false : nullable ? null : undefined
  const integer = only.type === 'integer'
  return {
    ...{ name, kind, choices, integer, empty },
    description: of.description ?? only.description ?? '',
    note: kind === 'json' ? `JSON: ${inWords(of)}` : kind === 'lines' ? 'One per line; [] for none' : '',
    required: needed && empty === undefined,
    standard: of.default,
    min: only.minimum ?? (integer && only.exclusiveMinimum !== undefined ? only.exclusiveMinimum + 1 : undefined),
    max: only.maximum,
    pattern: only.pattern,
  }
}

/** Parameters from what was entered; what was left alone is left out, so that the processor's defaults apply. */
export function paramsOf(fields: readonly Field[], values: Values): Record<string, unknown> {
  const params: Record<string, unknown> = {}
  for (const field of fields) {
    const value = values[field.name]
    if (value === undefined || value === '') {
      if (field.empty !== undefined) params[field.name] = field.empty
      continue
    }
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
    const field = fields.find(({ name }) => name && new RegExp(`^"?${escaped(name)}"?(?=[\\s:.[])`).test(problem))
    if (field) known[field.name] = problem
    else all = false
  }
  return { known, all }
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

function fits(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value)
  } catch {
    return true // not a pattern of ours to judge
  }
}

/** Where nothing but these can be meant. A tick can not be null, so that is a choice, too. */
function choicesIn(forms: readonly Schema[], nullable: boolean): readonly unknown[] {
  const each = forms.map((one) => (nullable && one.type === 'boolean' ? [true, false] : choicesOf(one)))
  if (each.some((choices) => choices.length === 0)) return []
  return [...new Set([...each.flat(), ...(nullable ? [null] : [])])]
}

function kindOf(schema: Schema): Field['kind'] {
  const { type } = schema
  if (type === 'string') return 'text'
  if (type === 'number' || type === 'integer') return 'number'
  if (type === 'boolean') return 'boolean'
  return isTexts(schema) ? 'lines' : 'json'
}

function readText({ name, kind, choices }: Field, text: string): unknown {
  if (kind === 'text') return text
  if (kind === 'number') return Number(text)
  if (kind === 'choice') return choices[Number(text)]
  if (kind === 'lines') return linesOf(text)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(
      `${name || 'The parameters'}: this is not JSON (${error instanceof Error ? error.message : error}).`,
    )
  }
}

/** One per line, or all as JSON, as other places show them. */
function linesOf(text: string): string[] {
  try {
    const read: unknown = JSON.parse(text)
    if (Array.isArray(read) && read.every((one) => typeof one === 'string')) return read
  } catch {} // plain lines
  return text.split(/\r?\n/).flatMap((line) => line.trim() || [])
}
