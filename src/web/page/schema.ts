/** As much of JSON Schema as forms are made from. */
export interface Schema {
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  items?: boolean | Schema
  prefixItems?: Schema[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  enum?: unknown[]
  const?: unknown
  default?: unknown
  examples?: unknown[]
  description?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  pattern?: string
}

/** What a value may be other than null, and whether it may be null. */
export function formsOf(schema: Schema): { forms: Schema[]; nullable: boolean } {
  const all = flat(schema)
  const forms = all.filter(({ type }) => type !== 'null')
  return { forms, nullable: forms.length < all.length }
}

/** The values of an enumeration or a literal; none where there are others. */
export function choicesOf({ enum: choices, const: only }: Schema): readonly unknown[] {
  return choices ?? (only === undefined ? [] : [only])
}

export const isTexts = ({ type, items, prefixItems }: Schema): boolean =>
  type === 'array' && typeof items === 'object' && !prefixItems && flat(items).every((one) => one.type === 'string')

/** What to write as JSON, for people: `a list, such as [1]`. */
export function inWords(schema: Schema): string {
  const words = new Set(flat(schema).map(({ type }) => WORDS[type as keyof typeof WORDS] ?? 'any value'))
  const example = JSON.stringify(exampleOf(schema))
  return `${[...words].join(' or ')}${example.length > LONGEST ? '' : `, such as ${example}`}`
}

/** An example that is longer is no help. */
const LONGEST = 80
const WORDS = {
  ...{ string: 'text in quotes', number: 'a number', integer: 'a whole number', boolean: 'true or false' },
  ...{ array: 'a list', object: 'an object', null: 'null' },
}

function flat(schema: Schema): Schema[] {
  const { anyOf, oneOf, type } = schema
  const forms = anyOf ?? oneOf ?? (Array.isArray(type) ? type.map((one) => ({ ...schema, type: one })) : undefined)
  return forms ? forms.flatMap(flat) : [schema]
}

function exampleOf(schema: Schema): unknown {
  const [given] = [schema.default ?? undefined, ...(schema.examples ?? []), ...choicesOf(schema)].filter(
    (one) => one !== undefined,
  )
  if (given !== undefined) return given
  const [form = {}] = formsOf(schema).forms
  if (form !== schema) return exampleOf(form)
  const { type, items, prefixItems, minimum, exclusiveMinimum } = form
  if (type === 'number' || type === 'integer') return Math.max(1, minimum ?? 1, (exclusiveMinimum ?? 0) + 1)
  if (type === 'boolean') return true
  if (type === 'array') return prefixItems?.map(exampleOf) ?? [exampleOf(typeof items === 'object' ? items : {})]
  return type === 'object' ? exampleOfObject(form) : 'a'
}

function exampleOfObject({ properties = {}, required = [], additionalProperties }: Schema): Record<string, unknown> {
  if (typeof additionalProperties === 'object') return { name: exampleOf(additionalProperties) }
  const names = required.length ? required : Object.keys(properties).slice(0, 1)
  return Object.fromEntries(names.map((name) => [name, exampleOf(properties[name] ?? {})]))
}
