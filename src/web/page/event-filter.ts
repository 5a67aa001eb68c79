import type { StoredEvent } from '../../store/types.js'

/** What the address says of the events that are wanted; the list, its pages, the chart and the export all go by it. */
export interface EventFilter {
  /** Of fields that must be equal, those that are given. */
  equal: ReadonlyMap<EqualField, string>
  /** Unix ms, inclusive. */
  since: number | undefined
  until: number | undefined
}

export const EQUAL = ['kind', 'severity', 'type', 'nickname', 'source'] as const
export type EqualField = (typeof EQUAL)[number]

/** Takes all of the filter out of the address. */
export const NO_FILTER = Object.fromEntries([...EQUAL, 'since', 'until'].map((key) => [key, '']))

export function filterOf(query: URLSearchParams): EventFilter {
  const equal = EQUAL.flatMap((key): [EqualField, string][] => (query.get(key) ? [[key, query.get(key) ?? '']] : []))
  const until = timeOf(query.get('until'))
  // whoever names a second means all of it
  const last = until !== undefined && until % 1000 === 0 ? until + 999 : until
  return { equal: new Map(equal), since: timeOf(query.get('since')), until: last }
}

/** The same as the API wants it. */
export function apiQuery({ equal, since, until }: EventFilter): URLSearchParams {
  const query = new URLSearchParams([...equal])
  if (since !== undefined) query.set('since', String(since))
  if (until !== undefined) query.set('until', String(until))
  return query
}

export const fits = (event: StoredEvent, { equal, since, until }: EventFilter): boolean =>
  [...equal].every(([key, value]) => event[key] === value) &&
  event.time >= (since ?? Number.NEGATIVE_INFINITY) &&
  event.time <= (until ?? Number.POSITIVE_INFINITY)

/** For the address: in UTC, so that it means the same wherever it is opened. */
export const addressTime = (ms: number): string => new Date(ms).toISOString().replace(/\.000Z$/, 'Z')

/** What `<input type="datetime-local">` holds: local time, "2026-11-23T14:05:09"; full minutes without their seconds. */
export function inputTime(ms: number): string {
  const local = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 19).replace(/:00$/, '')
}

function timeOf(text: string | null): number | undefined {
  const ms = Date.parse(text ?? '')
  return Number.isNaN(ms) || ms < 0 ? undefined : ms
}
