/** A span of seconds as a person says it: `4 s`, `12 min`, `3 h 05 min`, `2 d 4 h`. */
export function span(seconds: number): string {
  const s = Math.max(0, seconds)
  if (s < 10) return `${Math.round(s * 10) / 10} s`
  if (s < 60) return `${Math.round(s)} s`
  if (s < 3600) return `${Math.floor(s / 60)} min`
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`
}

/** How long ago a Unix time in seconds was; empty for null. */
export function since(unixSeconds: number | null, nowMs = Date.now()): string {
  return unixSeconds === null ? '' : span(nowMs / 1000 - unixSeconds)
}

/** Unix ms as local time: `2026-11-22 17:30:05.120`. */
export function clock(ms: number): string {
  const at = new Date(ms)
  const two = (n: number) => String(n).padStart(2, '0')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  const millis = String(at.getMilliseconds()).padStart(3, '0')
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${millis}`
}

/** A count in at most five characters: `999`, `12.3k`, `4.5M`. */
export function count(n: number): string {
  if (n < 10_000) return String(n)
  const [unit, by] = n < 1e6 ? (['k', 1e3] as const) : n < 1e9 ? (['M', 1e6] as const) : (['G', 1e9] as const)
  const scaled = n / by
  return `${scaled < 100 ? scaled.toFixed(1) : Math.floor(scaled)}${unit}`
}

/** `1 worker`, `2 workers`. */
export function plural(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`
}
