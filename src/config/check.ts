/** What was read of a value, or what is wanted in its place, and where within it. */
export type Checked = { value: unknown } | { wanted: string; at?: string }

/**
 * Reads one value of a flag, a variable (always text) or the file. Written out rather than made of zod's schemas, which
 * every command would load for its first question to Redis.
 */
export type Check = (value: unknown) => Checked

/** A text that is not empty, and that `fits`. */
export function text(wanted: string, fits: (text: string) => boolean = () => true): Check {
  return (value) => (typeof value === 'string' && value !== '' && fits(value) ? { value } : { wanted })
}

export function url(protocols: readonly string[], wanted: string): Check {
  return text(wanted, (value) => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined
    return parsed !== undefined && protocols.includes(parsed.protocol) && parsed.hostname !== ''
  })
}

export function wholeNumber(least: number, most: number): Check {
  return (value) => {
    const number = typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value)) ? Number(value) : -1
    if (Number.isInteger(number) && number >= least && number <= most) return { value: number }
    return { wanted: `a whole number from ${least} to ${most}` }
  }
}

const WORDS = new Map<unknown, boolean>([
  ...[true, 'true', '1', 'yes', 'on'].map((word) => [word, true] as const),
  ...[false, 'false', '0', 'no', 'off'].map((word) => [word, false] as const),
])

export const yesOrNo: Check = (value) => (WORDS.has(value) ? { value: WORDS.get(value) } : { wanted: 'true or false' })

/** A list with at least one entry. */
export function listOf(one: Check, wanted: string, wantedWhereEmpty: string): Check {
  return (value) => {
    if (!Array.isArray(value)) return { wanted }
    return value.length
      ? entriesOf(value, one, (values) => values.map(([, entry]) => entry))
      : { wanted: wantedWhereEmpty }
  }
}

export function recordOf(one: Check, wanted: string): Check {
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { wanted }
    return entriesOf(value, one, Object.fromEntries)
  }
}

function entriesOf(value: object, one: Check, made: (entries: [string, unknown][]) => unknown): Checked {
  const entries: [string, unknown][] = []
  for (const [name, entry] of Object.entries(value)) {
    const checked = one(entry)
    if (!('value' in checked)) return { ...checked, at: name }
    entries.push([name, checked.value])
  }
  return { value: made(entries) }
}
