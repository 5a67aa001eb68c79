import type { Schema } from '../contract.js'

type JsonSchema = Record<string, unknown>

interface Converter {
  input(options: { target: string; libraryOptions?: Record<string, unknown> }): JsonSchema
}

/**
 * JSON Schema (2020-12) of what a schema takes, by the Standard JSON Schema interface. A library that has none, or can't
 * say it in JSON Schema, gives the schema of any object: the schema itself has the last word when the worker starts.
 */
export function jsonSchemaOf(schema: Schema | undefined): JsonSchema {
  const standard = schema?.['~standard'] as { vendor: string; jsonSchema?: Converter } | undefined
  if (!standard?.jsonSchema) return { type: 'object' }
  const isZod = standard.vendor === 'zod'
  try {
    const made = standard.jsonSchema.input({
      target: 'draft-2020-12',
      ...(isZod ? { libraryOptions: { unrepresentable: 'any', override: openWhereCoerced } } : {}),
    })
    const { $schema, ...rest } = JSON.parse(JSON.stringify(isZod ? closed(made) : made)) as JsonSchema
    return { ...rest, ...(rest.type || rest.$ref || rest.anyOf || rest.oneOf || rest.allOf ? {} : { type: 'object' }) }
  } catch {
    return { type: 'object' }
  }
}

/** `z.coerce.number()` takes whatever can be made a number. */
function openWhereCoerced({ zodSchema, jsonSchema }: { zodSchema: unknown; jsonSchema: JsonSchema }): void {
  const { def } = (zodSchema as { _zod: { def: { coerce?: boolean } } })._zod
  if (!def.coerce) return
  for (const key of Object.keys(jsonSchema)) if (key !== 'default' && key !== 'description') delete jsonSchema[key]
}

/** zod drops keys that it does not know. A mistyped parameter would so be ignored without a word: refuse it instead. */
function closed(schema: JsonSchema): JsonSchema {
  const { properties, items, additionalProperties } = schema
  return {
    ...schema,
    ...(isSchema(properties) ? { properties: mapValues(properties) } : {}),
    ...(isSchema(items) ? { items: closed(items) } : {}),
    ...(isSchema(properties) && additionalProperties === undefined ? { additionalProperties: false } : {}),
  }
}

function mapValues(properties: JsonSchema): JsonSchema {
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [key, isSchema(value) ? closed(value) : value]),
  )
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
