import type { Schema } from '../contract.js'
import { HysasError } from '../errors.js'
import { check } from './check.js'
import { RunError } from './failure.js'
import type { Session } from './session.js'

/**
 * The parameters with defaults filled in. The processor's own schema has the last word on them: where it refuses, the
 * worker is withdrawn. One that has been at work with them (`proven`) stays wanted: its file was edited since, and may be mended.
 * @throws RunError `refused`, or `unfit` where it is proven
 */
export async function checkParams(
  session: Session,
  schema: Schema | undefined,
  given: Record<string, unknown>,
  proven: boolean,
): Promise<Record<string, unknown>> {
  const checked = await check(schema, given)
  if (checked.ok) return checked.value as Record<string, unknown>
  const { message } = new HysasError('BAD_PARAMS', { type: session.run.type, problems: checked.problems })
  session.log.error(message)
  if (proven) throw new RunError({ unfit: true, code: 'BAD_PARAMS', message })
  await session.finish('refused', 'its parameters were refused', { error_msg: message })
  throw new RunError({ refused: true, code: 'BAD_PARAMS', message })
}
