/** Text of a worker for people: without the escape sequences of terminals and other control characters. */
export function clean(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
      .replace(/\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007]*\u0007/g, '')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
  )
}

/** Seconds as "0.4 s", "12 s", "3 min", "5 h", "2 d". */
export function span(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`
  if (seconds < 100) return `${Math.round(seconds)} s`
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** Messages per second. */
export function rate(perSecond: number): string {
  if (perSecond === 0) return '0'
  return perSecond < 10 ? perSecond.toFixed(1) : count(Math.round(perSecond))
}

export function count(n: number): string {
  return n < 100_000 ? n.toLocaleString('en') : Intl.NumberFormat('en', { notation: 'compact' }).format(n)
}

export const clock = (time: Date): string => time.toLocaleTimeString('en-GB')

/** Local date and time, short where it is of today or this year. */
export function moment(ms: number, now = new Date()): string {
  const time = new Date(ms)
  const today = time.toDateString() === now.toDateString()
  const year = time.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' as const }
  const date = () => time.toLocaleDateString('en-GB', { day: '2-digit', month: 'short', ...year })
  return today ? clock(time) : `${date()} ${clock(time)}`
}

/** For the titles of drawings, which have no hover of their own: UTC comes last. */
export const both = (ms: number): string => `${moment(ms)}, ${utc(ms)}`

export const utc = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').replace(/\..*/, ' UTC')
