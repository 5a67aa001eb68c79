import type { Settings } from '../config/settings.js'
import { messageOf, toHysasError } from '../errors.js'

/** What one look came to. */
export interface Finding {
  name: string
  ok: boolean
  text: string
  /** What to do about a problem, or what might be better. */
  remedy?: string
}

/** Where to look, and where Redis is, as far as is known. */
export interface Patient {
  settings: Settings
  redisUrl: string | undefined
  redisSource: string
}

/** A thrown error as a finding. */
export function problem(name: string, thrown: unknown): Finding {
  const error = toHysasError(thrown)
  if (error.code === 'INTERNAL') return { name, ok: false, text: messageOf(thrown) }
  return { name, ok: false, text: error.message, remedy: error.remedy }
}
