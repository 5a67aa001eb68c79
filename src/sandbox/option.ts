import { nearest } from '../errors.js'

export type Options = Record<string, unknown>

/** Refuses names that are no option. @throws Error */
export function checkKnown(at: string, options: Options, known: readonly string[]): void {
  const odd = Object.keys(options).find((key) => !known.includes(key))
  if (odd !== undefined) throw new Error(`${at}${odd} is not an option.${nearest(odd, known)}`.replace(/[.?]$/, ''))
}

export function want(options: Options, name: string, wanted: string, fits: (given: unknown) => boolean, at = ''): void {
  const given = options[name]
  if (given !== undefined && !fits(given)) throw new Error(`${at}${name}: given ${shown(given)}, wanted ${wanted}`)
}

export function oneOf(...wanted: readonly unknown[]): (given: unknown) => boolean {
  return (given) => wanted.includes(given)
}

export function between(low: number, high: number): (given: unknown) => boolean {
  return (given) => typeof given === 'number' && given >= low && given <= high
}

export function whole(low: number, high: number): (given: unknown) => boolean {
  return (given) => Number.isInteger(given) && between(low, high)(given)
}

export function isObject(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function shown(given: unknown): string {
  if (typeof given === 'function') return 'a function'
  let text: string | undefined
  try {
    text = JSON.stringify(given)
  } catch {
    // circular, or a BigInt inside
  }
  text ??= String(given)
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}
