const DAY = 86_400_000

/**
 * Reads the time of a syslog line. RFC 3164 has neither year nor zone: the zone is the node's own, and the year the
 * one that fits what is known: `now` where the time lies within a day of it, else the line before (a log that is
 * replayed), else the latest that is not in the future. So a log goes over New Year unharmed.
 * Times are Unix ms; returns undefined for what is no time.
 */
export function parseTime(text: string, now: number, before: number | undefined): number | undefined {
  const short = RFC3164.exec(text)
  if (!short) return parseIso(text, now)
  const [, month = '', day = '', hour = '', minute = '', second = ''] = short
  const index = MONTHS.indexOf(month)
  if (index === -1) return undefined
  const inYear = (year: number) => {
    const date = new Date(year, index, Number(day), Number(hour), Number(minute), Number(second))
    return date.getMonth() === index ? date.getTime() : undefined // 29 February only in a leap year.
  }
  const thisYear = new Date(now).getFullYear()
  const nearNow = [thisYear - 1, thisYear, thisYear + 1].map(inYear).find((time) => near(time, now))
  if (nearNow !== undefined) return nearNow
  if (before === undefined) return latestPast(inYear, thisYear, now)
  const year = new Date(before).getFullYear()
  const candidates = [year - 1, year, year + 1].map(inYear).filter((time) => time !== undefined)
  return candidates.sort((a, b) => Math.abs(a - before) - Math.abs(b - before))[0]
}

/** A clock that runs ahead is brought back, so that it can't hold a burst open for ever. */
function parseIso(text: string, now: number): number | undefined {
  if (!ISO.test(text)) return undefined
  const time = Date.parse(text.replace(' ', 'T').replace(',', '.'))
  return Number.isNaN(time) ? undefined : Math.min(time, now + FUTURE)
}

function near(time: number | undefined, now: number): boolean {
  return time !== undefined && Math.abs(time - now) <= DAY
}

/** A leap day may be eight years back. */
function latestPast(inYear: (year: number) => number | undefined, thisYear: number, now: number): number | undefined {
  for (let year = thisYear; year > thisYear - 9; year--) {
    const time = inYear(year)
    if (time !== undefined && time <= now) return time
  }
  return undefined
}

const FUTURE = 300_000
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const RFC3164 = /^([A-Z][a-z]{2}) +(\d{1,2}) (\d{2}):(\d{2}):(\d{2})$/
const ISO = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}([.,]\d+)?(Z|[+-]\d{2}:?\d{2})?$/
