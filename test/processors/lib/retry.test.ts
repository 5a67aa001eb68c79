import { expect, test } from 'vitest'
import { retrying } from '../../../processors/lib/retry.js'

function newRetry() {
  const logged: string[] = []
  const at = (level: string) => (_fields: object | string) => void logged.push(level)
  const log = { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  return { logged, attempt: retrying({ log }, 'the work') }
}
const fail = async () => {
  throw new Error('gone')
}

test('waits longer with each failure in a row, up to half a minute', async () => {
  const { attempt } = newRetry()
  const waits: number[] = []
  for (let n = 0; n < 7; n++) waits.push((await attempt(fail)).waitMs)
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  expect(await attempt(async () => {})).toEqual({ waitMs: 0, failures: 0, problem: '' })
  expect((await attempt(fail)).waitMs).toBe(1000)
})

test('logs the first failure and the recovery, nothing between', async () => {
  const { attempt, logged } = newRetry()
  for (let n = 0; n < 4; n++) await attempt(fail)
  await attempt(async () => {})
  await attempt(async () => {})
  expect(logged).toEqual(['error', 'info'])
})

test('throws what no waiting mends', async () => {
  const { attempt } = newRetry()
  const unknown = Object.assign(new Error('no database raw'), { code: 'UNKNOWN_DATABASE' })
  await expect(attempt(() => Promise.reject(unknown))).rejects.toBe(unknown)
})
