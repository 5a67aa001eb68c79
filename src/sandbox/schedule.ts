import { CronExpressionParser } from 'cron-parser'

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const SHORTEST_MS = 50
const LONGEST_MS = 366 * 86_400_000

/** Milliseconds of `5000`, `"500ms"`, `"5s"`, `"1m"`, `"2h"`, `"1d"`. @throws Error for anything else, or outside 50 ms to 366 days */
export function parseEvery(every: unknown): number {
  const ms = typeof every === 'number' ? every : typeof every === 'string' ? fromText(every) : Number.NaN
  if (!Number.isFinite(ms)) {
    throw new Error(
      `every: given ${JSON.stringify(every)}, wanted a number of ms or a text such as "500ms", "5s", "1m", "2h"`,
    )
  }
  if (ms < SHORTEST_MS || ms > LONGEST_MS) {
    throw new Error(`every: given ${JSON.stringify(every)}, wanted at least ${SHORTEST_MS} ms and at most 366 days`)
  }
  return Math.round(ms)
}

/** Checks an expression of five or six fields, its time zone, and that it ever comes due. @throws Error */
export function checkCron(cron: unknown, timezone: unknown): { cron: string; timezone: string } {
  const given = `cron: given ${JSON.stringify(cron)}`
  if (typeof cron !== 'string') throw new Error(`${given}, wanted a text such as "*/5 * * * *"`)
  const fields = cron.trim().split(/\s+/).length
  if (fields !== 5 && fields !== 6) throw new Error(`${given}, wanted five or six fields, for example "*/5 * * * *"`)
  const tz = checkTimezone(timezone)
  try {
    CronExpressionParser.parse(cron, { tz }).next()
  } catch (error) {
    throw new Error(`${given}: ${error instanceof Error ? error.message : String(error)}`)
  }
  return { cron: cron.trim(), timezone: tz }
}

function fromText(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim()) ?? []
  return amount && unit ? Number(amount) * (UNITS[unit] ?? Number.NaN) : Number.NaN
}

function checkTimezone(timezone: unknown): string {
  if (timezone === undefined) return 'UTC'
  try {
    if (typeof timezone !== 'string') throw new TypeError()
    return new Intl.DateTimeFormat('en', { timeZone: timezone }).resolvedOptions().timeZone && timezone
  } catch {
    throw new Error(`timezone: given ${JSON.stringify(timezone)}, wanted a name such as "Europe/Berlin"`)
  }
}
