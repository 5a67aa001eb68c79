import type { ErrorObject } from 'ajv/dist/2020.js'
import { nearest } from '../errors.js'

type JsonSchema = Record<string, unknown>

/** The errors of ajv (options `allErrors` and `verbose`) in plain words: one sentence for each key that is wrong. */
export function explain(errors: readonly ErrorObject[]): string[] {
  const byKey = new Map<string, string>()
  for (const error of outermost(errors)) {
    const [key, problem] = sentence(error)
    if (!byKey.has(key)) byKey.set(key, `${key}: ${problem}`)
  }
  return [...byKey.values()]
}

/** Of a choice that fits nowhere, ajv also tells why each branch does not fit: that is noise. */
function outermost(errors: readonly ErrorObject[]): ErrorObject[] {
  const choices = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')
  return errors.filter(({ schemaPath }) => !choices.some((choice) => schemaPath.startsWith(`${choice.schemaPath}/`)))
}

function sentence(error: ErrorObject): [key: string, problem: string] {
  const { keyword, params, data } = error
  const parent = (error.parentSchema ?? {}) as JsonSchema
  const path = pathOf(error.instancePath)
  const properties = (parent.properties ?? {}) as Record<string, JsonSchema>
  if (keyword === 'required') {
    const name = String(params.missingProperty)
    return [inside(path, name), `missing, wanted ${wanted(properties[name])}`]
  }
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') {
    const name = String(params.additionalProperty ?? params.unevaluatedProperty)
    const hint = nearest(name, Object.keys(properties)).replace(' Did', ', did')
    return [inside(path, name), `not known${hint || known(Object.keys(properties))}`]
  }
  const isWords = keyword === 'pattern' || wanted(parent) === ANYTHING
  return [path || 'all of it', `given ${shown(data)}, wanted ${isWords ? (error.message ?? keyword) : wanted(parent)}`]
}

const ANYTHING = 'any value'

/** What a schema takes, in words: `a whole number above 0`. */
function wanted(schema: JsonSchema | boolean | undefined): string {
  if (schema === undefined || typeof schema === 'boolean') return ANYTHING
  const choices = (schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined
  if (choices) return [...new Set(choices.map(wanted))].join(' or ')
  if ('const' in schema) return JSON.stringify(schema.const)
  if (Array.isArray(schema.enum)) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(', ')}`
  const types = [schema.type ?? []].flat() as string[]
  return types.map((type) => WORDS[type]?.(schema) ?? type).join(' or ') || ANYTHING
}

const WORDS: Record<string, (schema: JsonSchema) => string> = {
  integer: (schema) => `a whole number${bounds(schema)}`,
  number: (schema) => `a number${bounds(schema)}`,
  string: (schema) =>
    schema.format
      ? `a text (${String(schema.format)})`
      : `a text${size(schema.minLength, schema.maxLength, 'characters')}`,
  boolean: () => 'true or false',
  null: () => 'null',
  array: (schema) =>
    `a list${size(schema.minItems, schema.maxItems, 'items')}${schema.items ? `, each ${wanted(schema.items as JsonSchema)}` : ''}`,
  object: ({ properties }) =>
    properties ? `an object with ${Object.keys(properties).join(', ') || 'nothing in it'}` : 'an object',
}

/** Bounds that only say what a whole number can be at all are left out. */
function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: JsonSchema): string {
  const low = typeof minimum === 'number' && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined
  const high = typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined
  const parts = [
    low !== undefined && high !== undefined ? ` from ${low} to ${high}` : '',
    low !== undefined && high === undefined ? ` of at least ${low}` : '',
    low === undefined && high !== undefined ? ` of at most ${high}` : '',
    typeof exclusiveMinimum === 'number' ? ` above ${exclusiveMinimum}` : '',
    typeof exclusiveMaximum === 'number' ? ` below ${exclusiveMaximum}` : '',
    multipleOf === undefined ? '' : ` in steps of ${String(multipleOf)}`,
  ]
  return parts.join('')
}

function size(least: unknown, most: unknown, what: string): string {
  if (least !== undefined && most !== undefined) return ` of ${String(least)} to ${String(most)} ${what}`
  if (least === 1) return ' that is not empty'
  if (least !== undefined) return ` of at least ${String(least)} ${what}`
  return most === undefined ? '' : ` of at most ${String(most)} ${what}`
}

/** `/servers/0/port` as `servers[0].port`. */
function pathOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : inside(path, part)), '')
}

function inside(path: string, name: string): string {
  const short = name.length > 80 ? `${name.slice(0, 77)}…` : name
  return path ? `${path}.${short}` : short
}

function known(names: string[]): string {
  return names.length ? ` (known: ${names.slice(0, 10).join(', ')})` : ' (it takes none)'
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}
