import type { Schema } from '../contract.js'
import { HysasError } from '../errors.js'
import { check } from './check.js'
import { RunError } from './failure.js'
import type { Session } from './session.js'

/**
 * The parameters with defaults filled in. The processor's own schema has the last word on them: where it refuses, the
 * worker is withdrawn.
 * @throws RunError refused
 */
export async function checkParams(
  session: Session,
  schema: Schema | undefined,
  given: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const checked = await check(schema, given)
  if (checked.ok) return checked.value as Record<string, unknown>
  const { message } = new HysasError('BAD_PARAMS', { type: session.run.type, problems: checked.problems })
  session.log.error(message)
  await session.finish('refused', 'its parameters were refused', { error_msg: message })
  throw new RunError({ refused: true, code: 'BAD_PARAMS', message })
}
