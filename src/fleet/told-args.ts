import { redactedJson } from '../log.js'

/** Characters of JSON that are kept of the arguments of an operation. */
export const ARGS_LIMIT = 2048

/** What is kept of arguments that are longer, or that can not be written. */
export interface CutArgs {
  truncated: true
  /** How long their JSON is; null where they are nested too deeply. */
  characters: number | null
  begins: string
}

/** The arguments of an operation, as the event store keeps them: without secrets, and bounded. */
export function toldArgs(args: Record<string, unknown>): Record<string, unknown> | CutArgs {
  let json: string
  try {
    json = redactedJson(args)
  } catch {
    return { truncated: true, characters: null, begins: '' }
  }
  if (json.length <= ARGS_LIMIT) return JSON.parse(json) as Record<string, unknown>
  return { truncated: true, characters: json.length, begins: json.slice(0, ARGS_LIMIT) }
}
