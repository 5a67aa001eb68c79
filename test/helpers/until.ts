import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks `condition` again and again until its value is truthy, and returns that value. An error that it throws counts as
 * not yet; the last one is the cause of the failure.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 20, what = 'the condition' } = {},
): Promise<NonNullable<T>> {
  const end = Date.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value) return value
      last = undefined
    } catch (error) {
      last = error
    }
    if (Date.now() > end) throw new Error(`Not within ${timeoutMs} ms: ${what}`, { cause: last })
    await sleep(everyMs)
  }
}
