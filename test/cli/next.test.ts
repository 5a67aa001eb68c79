import { describe, expect, it } from 'vitest'
import { whatNext } from '../../src/cli/next.js'
import { runsOf } from '../../src/cli/runs.js'
import { problemsFirst } from '../../src/cli/workers.js'
import { anEvent, aWorker } from './views.js'

const NOW = 1_800_000_000_000

describe('what comes next by itself', () => {
  it.each([
    ['stopped', { wanted: false, status: 'terminated' as const }, /hysas start Demo DemoName/],
    ['given up', { status: 'failed' as const }, /given up.*hysas restart DemoName/],
    ['done', { status: 'terminated' as const }, /work is done/],
    ['crashed', { status: 'restarting' as const, next_start_at: NOW / 1000 + 4 }, /again in 4 s/],
    ['lost', { status: 'disappeared' as const }, /taken over/],
    [
      'repeatable',
      { status: 'started' as const, kind: 'repeatable' as const, next_tick: NOW / 1000 + 2 },
      /tick comes in 2 s/,
    ],
    ['running', { status: 'started' as const }, /goes on/],
  ])('a worker that is %s', (_, of, said) => {
    expect(whatNext(aWorker(of), 1, NOW)).toMatch(said)
  })

  it('waits for a node where none is up', () => {
    expect(whatNext(aWorker({ status: 'queued' }), 0, NOW)).toContain('hysas up')
  })
})

it('runs are put together from events, newest first, each with how it ended', () => {
  const runs = runsOf([
    anEvent({ kind: 'started', epoch: 2, time: 30, node: 'n' }),
    anEvent({ kind: 'started', epoch: 1, time: 10, node: 'n' }),
    anEvent({
      kind: 'crashed',
      epoch: 1,
      time: 20,
      message: 'its process was ended by SIGKILL',
      data: { stack: 'Error: exit' },
    }),
    anEvent({ kind: 'failed', epoch: 1, time: 25, message: 'later' }),
    anEvent({ kind: 'alert', epoch: 1, time: 15 }),
    anEvent({ kind: 'command', epoch: null, time: 5 }),
  ])
  expect(runs.map((run) => [run.epoch, run.end, run.message, run.signal, run.stack])).toEqual([
    [2, '', '', '', ''],
    [1, 'crashed', 'its process was ended by SIGKILL', 'SIGKILL', ''],
  ])
})

it('a list begins with what needs a person', () => {
  const workers = [
    aWorker({ nickname: 'fine', status: 'started' }),
    aWorker({ nickname: 'ended', status: 'terminated', wanted: false }),
    aWorker({ nickname: 'gone', status: 'disappeared' }),
    aWorker({ nickname: 'shaky', status: 'started', restarts: 2 }),
    aWorker({ nickname: 'dead', status: 'failed' }),
  ]
  expect(workers.sort(problemsFirst).map((worker) => worker.nickname)).toEqual([
    'dead',
    'gone',
    'shaky',
    'fine',
    'ended',
  ])
})
