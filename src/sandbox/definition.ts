import { type AnyProcessor, type PlainProcessor, PROCESSOR } from '../contract.js'

/** What a processor file is, once imported: ours, marked by `defineProcessor`, or a plain BullMQ function. */
export type Definition = { kind: 'ours'; processor: AnyProcessor } | { kind: 'plain'; run: PlainProcessor }

/**
 * The default export of an imported bundle, also of a CommonJS file (`module.exports = ...`, `exports.default = ...`).
 * @throws Error whose message says what is there instead
 */
export function definitionOf(module: unknown): Definition {
  const value = defaultOf(module)
  if (isMarked(value)) return { kind: 'ours', processor: value }
  if (typeof value === 'function' && !isClass(value)) return { kind: 'plain', run: value as PlainProcessor }
  throw new Error(`its default export is ${describe(value)}`)
}

/** A CommonJS file that was compiled from ESM has its default one level deeper. */
function defaultOf(module: unknown): unknown {
  let value = (module as { default?: unknown } | undefined)?.default
  for (let depth = 0; depth < 2 && isObject(value) && !isMarked(value) && 'default' in value; depth++) {
    value = (value as { default: unknown }).default
  }
  return value
}

function isMarked(value: unknown): value is AnyProcessor {
  return isObject(value) && (value as { [PROCESSOR]?: unknown })[PROCESSOR] === true
}

function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null
}

function isClass(value: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value))
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (typeof value === 'function') return 'a class'
  if (typeof value !== 'object') return `a ${typeof value}`
  if (value instanceof Promise) return 'a promise'
  if (Array.isArray(value)) return 'a list'
  if (Object.keys(value).length === 0) return 'missing (the file exports nothing)'
  return 'an object that was not made by defineProcessor({...})'
}
