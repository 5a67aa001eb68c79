import { describe, expect, it } from 'vitest'
import { type Life, lifeOf, type Signs } from '../../src/fleet/life.js'

const WELL: Signs = { status: 'started', age: 0.4, interval: 1, loopDelayMs: 2, nodeUp: true }

const TABLE: [what: string, signs: Partial<Signs>, life: Life][] = [
  ['beats in time', {}, 'ok'],
  ['has just begun', { status: 'init', age: 0 }, 'ok'],
  ['beats seldom, as it says', { interval: 60, age: 59 }, 'ok'],
  ['beats, with an event loop that is late', { loopDelayMs: 900 }, 'busy'],
  ['has missed beats while its node is up', { age: 5 }, 'busy'],
  ['has missed beats and is told to have disappeared, while its node is up', { status: 'disappeared', age: 5 }, 'busy'],
  ['has been silent for longer than any computing lasts', { age: 9 }, 'wedged'],
  ['is wedged and told to have disappeared', { status: 'disappeared', age: 20 }, 'wedged'],
  ['beats, but its node is not heard of', { nodeUp: false }, 'cut off'],
  ['is silent with its node, for less than a lock lasts', { nodeUp: false, age: 3.5 }, 'cut off'],
  ['is silent with its node for longer', { nodeUp: false, age: 5 }, 'dead'],
  ['has disappeared with its node', { nodeUp: false, age: 60, status: 'disappeared' }, 'dead'],
  ['rests between two ticks far apart', { age: 500, nextTickIn: 3000 }, 'ok'],
  ['rests, and its next tick is late', { age: 500, nextTickIn: -4 }, 'busy'],
  ['rests, and its next tick does not come', { age: 500, nextTickIn: -60 }, 'wedged'],
  ['rests, and its node is gone: another does the next tick', { age: 500, nextTickIn: 60, nodeUp: false }, 'cut off'],
  ['has ended', { status: 'terminated', age: 100 }, ''],
  ['failed', { status: 'failed', age: 100 }, ''],
  ['waits for its restart', { status: 'restarting', age: 20 }, ''],
  ['has had no run yet', { status: 'queued', age: null }, ''],
]

describe('signs of life', () => {
  it.each(TABLE)('a worker that %s', (_what, signs, life) => {
    expect(lifeOf({ ...WELL, ...signs })).toBe(life)
  })

  it('never call a worker dead whose node is up', () => {
    for (const age of [0, 1, 5, 60, 3600])
      for (const status of ['init', 'started', 'disappeared'] as const)
        for (const loopDelayMs of [null, 0, 60_000])
          expect(lifeOf({ ...WELL, status, age, loopDelayMs })).not.toBe('dead')
  })
})
