import type { EventQuery } from '../store/types.js'

/** Options of `hysas events`. Times in Unix ms. */
export interface EventOptions {
  kind?: string[]
  source?: string
  nickname?: string
  type?: string
  severity?: string[]
  since?: number
  until?: number
  /** Default 100. */
  limit?: number
  /** However many, in the place of the last `limit`. */
  all?: boolean
  csv?: boolean
  follow?: boolean
}

/** What the store is asked. Several kinds are divided by commas, or given repeatedly. */
export function queryOf({ kind, source, nickname, type, severity, since, until }: EventOptions): EventQuery {
  const kinds = kind?.flatMap((text) => text.split(',').map((one) => one.trim()))
  return {
    ...(kinds && { kind: kinds }),
    ...(source !== undefined && { source }),
    ...(nickname !== undefined && { nickname }),
    ...(type !== undefined && { type }),
    ...(severity !== undefined && { severity }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  }
}
