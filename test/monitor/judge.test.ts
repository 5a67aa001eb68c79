import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { againAfterMs, type JudgedRun, judge, silence, type Verdict } from '../../src/monitor/judge.js'

const NOW = 1_800_000_000_000
const RUN: JudgedRun = {
  wanted: true,
  running: true,
  lockHeld: true,
  repeatable: false,
  epoch: NOW - 60_000,
  node: 'one',
  status: 'started',
  heartBeatMs: NOW - 2500,
  intervalMs: 1000,
  dueMs: NOW - 500,
}

describe('the verdict on a run', () => {
  const cases: [string, Partial<JudgedRun>, Verdict][] = [
    ['is alive while its heartbeat is not overdue', { dueMs: NOW + 1 }, 'alive'],
    [
      'is alive before its heartbeat is due, whatever its status says',
      { dueMs: NOW + 1, status: 'disappeared' },
      'alive',
    ],
    ['ended where no heartbeat is expected', { dueMs: null, running: false, status: 'terminated' }, 'ended'],
    ['disappeared at the moment it is overdue', { dueMs: NOW }, 'disappeared'],
    ['disappeared also before it said that it has started', { status: 'init' }, 'disappeared'],
    ['disappeared also without a lock: its node died', { lockHeld: false }, 'disappeared'],
    ['disappeared also while it is being stopped', { wanted: false }, 'disappeared'],
    ['is wedged when told before, and its node still holds it', { status: 'disappeared' }, 'wedged'],
    ['is gone when told before, and nobody holds it', { status: 'disappeared', lockHeld: false }, 'gone'],
    ['is gone when told before, and it has ended', { status: 'disappeared', running: false }, 'gone'],
    ['is a stray when it has ended, and a late heartbeat says otherwise', { running: false }, 'stray'],
    ['is a stray when it is terminated', { status: 'terminated' }, 'stray'],
    ['is a stray when its Info was removed', { status: '' }, 'stray'],
    [
      'of a repeatable worker is disappeared when its next tick is overdue',
      { repeatable: true, running: false },
      'disappeared',
    ],
    ['of a repeatable worker nobody wants is a stray', { repeatable: true, running: false, wanted: false }, 'stray'],
    ['of a repeatable worker that hangs in a tick is wedged', { repeatable: true, status: 'disappeared' }, 'wedged'],
  ]
  test.each(cases)('%s', (_sentence, change, verdict) => {
    expect(judge({ ...RUN, ...change }, NOW)).toBe(verdict)
  })

  test('is late, not disappeared, while everybody is excused', () => {
    expect(judge(RUN, NOW, NOW + 1)).toBe('late')
    expect(judge({ ...RUN, status: 'disappeared' }, NOW, NOW + 1)).toBe('late')
    expect(judge(RUN, NOW, NOW)).toBe('disappeared')
  })
})

const runs = fc.record<JudgedRun>({
  wanted: fc.boolean(),
  running: fc.boolean(),
  lockHeld: fc.boolean(),
  repeatable: fc.boolean(),
  epoch: fc.nat(),
  node: fc.string(),
  status: fc.constantFrom('', 'init', 'started', 'terminated', 'disappeared', 'restarting', 'failed'),
  heartBeatMs: fc.option(fc.integer({ min: NOW - 1e9, max: NOW })),
  intervalMs: fc.integer({ min: 1, max: 3_600_000 }),
  dueMs: fc.option(fc.integer({ min: NOW - 1e9, max: NOW + 1e9 })),
})

describe('for any run', () => {
  test('nothing is done before it is overdue', () => {
    fc.assert(fc.property(runs, (run) => judge({ ...run, dueMs: NOW + 1 }, NOW) === 'alive'))
  })

  test('it is told once: what is marked as disappeared is never told again', () => {
    fc.assert(fc.property(runs, (run) => judge({ ...run, status: 'disappeared' }, NOW) !== 'disappeared'))
  })

  test('only what its node holds is ended by it', () => {
    fc.assert(fc.property(runs, (run) => judge(run, NOW) !== 'wedged' || (run.running && run.lockHeld)))
  })

  test('while everybody is excused nobody disappears or is ended', () => {
    fc.assert(fc.property(runs, (run) => !['disappeared', 'wedged', 'gone'].includes(judge(run, NOW, NOW + 1))))
  })

  test('time only makes it worse: what is not alive does not come back without a heartbeat', () => {
    fc.assert(
      fc.property(runs, fc.nat(), (run, later) => judge(run, NOW) === 'alive' || judge(run, NOW + later) !== 'alive'),
    )
  })
})

test('a worker that beats every second is ended after five seconds of silence, a slow one after three intervals', () => {
  expect(2000 + againAfterMs(1000)).toBe(5000)
  expect(againAfterMs(10_000)).toBe(20_000)
})

test('the silence is told in seconds', () => {
  expect(silence(RUN, NOW)).toBe('no heartbeat for 2.5 s')
  expect(silence({ ...RUN, repeatable: true, running: false }, NOW)).toBe('no tick, and no heartbeat for 2.5 s')
})
