import { messageOf } from '../errors.js'

/** Why a database said no. A refused connection to a host of several addresses has its reasons only inside, or a code. */
export function reasonOf(error: unknown): string {
  const { errors, code } = error as { errors?: unknown[]; code?: string }
  return messageOf(error) || (errors?.[0] ? messageOf(errors[0]) : (code ?? 'unknown'))
}
