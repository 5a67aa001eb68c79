import { expect, it } from 'vitest'
import type { HeartbeatOptions } from '../../src/sandbox/heartbeat.js'
import { createState, noteCut, noteDropped, noteError } from '../../src/sandbox/state.js'
import { watchChanges } from '../../src/sandbox/unchanged.js'

it('sees each change of what a heartbeat says, once, and no change where there is none', () => {
  const state = createState()
  let hears = ['a']
  let memory = 1
  const of: Pick<HeartbeatOptions, 'state' | 'hears' | 'memoryMb'> = {
    state,
    hears: () => hears,
    memoryMb: () => memory,
  }
  const unchanged = watchChanges(of)
  const changes: (() => void)[] = [
    () => {},
    () => (state.status = 'started'),
    () => (state.threads.start = 'running'),
    () => (state.threads.start = 'done'),
    () => (state.threads.produce = 'running'),
    () => delete state.threads.produce,
    () => state.published++,
    () => state.received++,
    () => noteDropped(state, 'c'),
    () => state.lost++,
    () => noteError(state, new Error('x')),
    () => (state.progress = { percent: 1 }),
    () => (state.progress = { percent: 1 }),
    () => (hears = ['a', 'b']),
    () => hears.push('c'),
    () => (hears = ['a', 'b', 'd']),
    () => (memory = 2),
  ]
  for (const change of changes) {
    change()
    expect([unchanged(0), unchanged(0), unchanged(0)], change.toString()).toEqual([false, true, true])
  }
  expect([unchanged(10), unchanged(10), unchanged(0)]).toEqual([false, true, false])
  noteCut(state, 1000)
  expect([unchanged(0), unchanged(0)], 'a gap may be closed in place').toEqual([false, false])
})
