import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { HysasError, messageOf } from '../errors.js'
import { explain } from './explain.js'

type JsonSchema = Record<string, unknown>

const MOST_BYTES = 100 * 1024
const DEEPEST = 20
/** With these an object could be made to look like what it is not. */
const FORBIDDEN_KEYS = ['__proto__', 'constructor', 'prototype']
const MOST_CACHED = 500
const MOST_PROBLEMS = 10

/** Compiled validators by the schema's JSON. */
const cache = new Map<string, ValidateFunction | undefined>()

/**
 * Checks a worker's parameters by the JSON Schema of its type. Nothing is changed in them.
 * @throws HysasError BAD_PARAMS whose `problems` says of each key what was given and what is wanted
 */
export function checkParams(type: string, schema: JsonSchema, params: unknown): void {
  const problems = problemsOf(schema, params)
  if (problems.length) throw new HysasError('BAD_PARAMS', { type, problems: joined(problems) })
}

/** Checks the arguments of an operation likewise. @throws HysasError BAD_ARGS */
export function checkArgs(operation: string, schema: JsonSchema, args: unknown): void {
  const problems = problemsOf(schema, args)
  if (problems.length) throw new HysasError('BAD_ARGS', { operation, problems: joined(problems) })
}

function problemsOf(schema: JsonSchema, value: unknown): string[] {
  const problem = shapeProblem(value)
  if (problem) return [problem]
  const validate = validatorOf(schema)
  if (!validate || validate(value) === true) return []
  return explain(validate.errors as ErrorObject[])
}

function shapeProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `given ${Array.isArray(value) ? 'a list' : String(JSON.stringify(value) ?? value).slice(0, 80)}, wanted an object`
  }
  const deep = depthProblem(value, 1)
  if (deep) return deep
  try {
    const bytes = Buffer.byteLength(JSON.stringify(value))
    return bytes > MOST_BYTES ? `they have ${bytes} bytes, at most ${MOST_BYTES} are taken` : undefined
  } catch (error) {
    return `they can not be written as JSON (${messageOf(error)})`
  }
}

/** Before anything else goes through the object: one that is too deep, or holds itself, would exhaust the stack. */
function depthProblem(value: object, depth: number): string | undefined {
  if (depth > DEEPEST) return `they are nested more than ${DEEPEST} deep`
  for (const key of Object.keys(value)) {
    if (FORBIDDEN_KEYS.includes(key)) return `the key "${key}" is not allowed`
    const inner = (value as Record<string, unknown>)[key]
    const problem = typeof inner === 'object' && inner !== null ? depthProblem(inner, depth + 1) : undefined
    if (problem) return problem
  }
  return undefined
}

/** Undefined for a schema that ajv can't use: then the processor's own schema, in the child, is the only judge. */
function validatorOf(schema: JsonSchema): ValidateFunction | undefined {
  const key = JSON.stringify(schema)
  if (!cache.has(key)) {
    if (cache.size >= MOST_CACHED) cache.clear()
    cache.set(key, compile(schema))
  }
  return cache.get(key)
}

function compile(schema: JsonSchema): ValidateFunction | undefined {
  const { $schema, $async, $id, ...rest } = schema
  try {
    return new Ajv2020({
      strict: false,
      allErrors: true,
      verbose: true,
      validateFormats: false,
      logger: false,
    }).compile(rest)
  } catch {
    return undefined
  }
}

function joined(problems: string[]): string {
  const rest = problems.length - MOST_PROBLEMS
  return [...problems.slice(0, MOST_PROBLEMS), ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ')
}
