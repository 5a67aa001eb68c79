import { InvalidArgumentError } from 'commander'

/** Parsers of option values for commander; what they throw is reported as misuse. */

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `500ms`, `30s`, `5m`, `2h`, `1d` in ms; a bare number is seconds. */
export function duration(text: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim()) ?? []
  if (amount === undefined) throw new InvalidArgumentError('It is a span of time such as 30s, 5m, 2h or 1d.')
  return Number(amount) * UNITS[unit as keyof typeof UNITS]
}

/**
 * A point in time as Unix ms: a span before now (`5m`), or a date such as 2026-11, 2026-11-22 or 2026-11-22T17:30, in
 * local time as all that is printed, unless it ends in `Z` or an offset.
 */
export function instant(text: string): number {
  const given = text.trim()
  if (/^\d+(\.\d+)?(ms|s|m|h|d)$/.test(given)) return Date.now() - duration(given)
  const [, year, month, day = '01', time = 'T00:00'] = DATE.exec(given) ?? []
  // `Date` takes a date without time for UTC, and the 31st of February for the 3rd of March
  const at = Date.parse(`${year}-${month}-${day}${time.replace(' ', 'T')}`)
  if (Number.isNaN(at) || Number(day) > new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate())
    throw new InvalidArgumentError('It is a span such as 5m or 2h, or a date such as 2026-11-22T17:30 in local time.')
  return at
}

const DATE = /^(\d{4})-(\d\d)(?:-(\d\d)([T ].+)?)?$/

/** A time limit in seconds, given back in ms. */
export function seconds(text: string): number {
  const value = Number(text)
  if (!(text.trim() && value > 0 && value <= 86_400))
    throw new InvalidArgumentError('It is a number of seconds above 0.')
  return Math.round(value * 1000)
}

/** A whole number between two bounds. */
export function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    if (!/^\d+$/.test(text) || Number(text) < min || Number(text) > max)
      throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`)
    return Number(text)
  }
}

/** One or several of the words, divided by commas, collected when the option is given repeatedly. */
export function oneOf(words: readonly string[]): (text: string, before?: string[]) => string[] {
  return (text, before = []) => {
    const given = text.split(',').map((word) => word.trim())
    const unknown = given.find((word) => !words.includes(word))
    if (unknown !== undefined) throw new InvalidArgumentError(`It is one of ${words.join(', ')}.`)
    return [...before, ...given]
  }
}

/** Collects a repeated option. */
export function collect(text: string, before: string[] = []): string[] {
  return [...before, text]
}

export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

/** The least level of log lines to show. */
export function level(text: string): string {
  if (!LEVELS.some((known) => known === text)) throw new InvalidArgumentError(`It is one of ${LEVELS.join(', ')}.`)
  return text
}

/** How bad an event may be. */
export const SEVERITIES = ['info', 'warning', 'error', 'critical'] as const
