import type { Schema } from '../contract.js'

/** A value checked by a schema: with defaults filled in, or what is wrong with it in one line. */
export type Checked = { ok: true; value: unknown } | { ok: false; problems: string }

/** Without a schema, any object is taken as it is. */
export async function check(schema: Schema | undefined, value: unknown): Promise<Checked> {
  if (!schema) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? { ok: true, value } : { ok: false, problems: 'an object is wanted' }
  }
  const answer = schema['~standard'].validate(value)
  return checkedOf(answer instanceof Promise ? await answer : answer)
}

function checkedOf(answer: Awaited<ReturnType<Schema['~standard']['validate']>>): Checked {
  if (!answer.issues) return { ok: true, value: answer.value }
  const problems = answer.issues.slice(0, 10).map(({ path = [], message }) => {
    const at = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
    return at ? `${at}: ${message}` : message
  })
  return { ok: false, problems: problems.join('; ').slice(0, 2000) }
}
