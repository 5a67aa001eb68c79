import { CATALOGUE, type ErrorCode, HysasError } from '../errors.js'
import type { RunFailure } from '../protocol.js'

/** Stacks are cut: they go into Redis with every heartbeat. */
const STACK_LENGTH = 4096

/** A failure of a run that its node is told with these words. `refused`: trying again is no use. */
export class RunError extends Error {
  readonly failure: RunFailure
  constructor(failure: RunFailure) {
    super(failure.message)
    this.failure = failure
  }
}

/** Whatever was thrown, as JSON for the node. */
export function failureOf(thrown: unknown): RunFailure {
  if (thrown instanceof RunError) return thrown.failure
  if (!(thrown instanceof Error)) return { message: cut(textOf(thrown)) }
  const { code } = thrown as { code?: unknown }
  return {
    message: cut(thrown.message || thrown.name),
    stack: stackOf(thrown),
    name: String(thrown.name),
    ...(typeof code === 'string' ? { code } : {}),
  }
}

/** The stack with the causes below it, or the text of what was thrown; at most 4 KB. */
export function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return cut(textOf(thrown))
  const parts: string[] = []
  for (let error: unknown = thrown; error !== undefined && parts.length < 4; ) {
    parts.push(error instanceof Error ? (error.stack ?? error.message) : textOf(error))
    error = error instanceof Error ? error.cause : undefined
  }
  return cut(parts.join('\nCaused by: '))
}

/**
 * The coded error that was thrown, if it is one of the catalogue. Processors carry their own copy of the class, so
 * `instanceof` does not tell.
 */
export function codedOf(thrown: unknown): HysasError | undefined {
  if (thrown instanceof HysasError) return thrown
  if (!(thrown instanceof Error) || thrown.name !== 'HysasError') return undefined
  const { code, details } = thrown as unknown as { code?: unknown; details?: HysasError['details'] }
  if (typeof code !== 'string' || !Object.hasOwn(CATALOGUE, code)) return undefined
  return new HysasError(code as ErrorCode, details ?? {}, { cause: thrown })
}

function textOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown
  try {
    return JSON.stringify(thrown) ?? String(thrown)
  } catch {
    return String(thrown)
  }
}

function cut(text: string): string {
  return text.length > STACK_LENGTH ? `${text.slice(0, STACK_LENGTH - 1)}…` : text
}
