import { afterEach, expect, it, vi } from 'vitest'
import type { Run } from '../../src/node/run.js'
import { createTending } from '../../src/node/tend.js'

afterEach(() => {
  vi.useRealTimers()
})

it('of a thousand workers, all get their picture on Bull Board in turn', () => {
  vi.useFakeTimers({ toFake: ['performance'], now: 60_000 })
  const shown = new Map<number, number>()
  const runs = Array.from({ length: 1000 }, (_, i) => {
    const updateProgress = async () => void shown.set(i, (shown.get(i) ?? 0) + 1)
    return { started: true, job: { updateProgress }, entry: {} } as unknown as Run
  })
  const tend = createTending('n1')
  vi.advanceTimersByTime(60_000)
  for (let second = 0; second < 20; second++) {
    for (const run of runs) run.heardAt = performance.now()
    tend(runs, [], true)
    vi.advanceTimersByTime(1000 + 1)
  }
  expect(shown.size).toBe(1000)
  expect(new Set(shown.values())).toEqual(new Set([2]))
})
