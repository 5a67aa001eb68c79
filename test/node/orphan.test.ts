import { expect, test } from 'vitest'
import { whyLost } from '../../src/node/orphan.js'

test.each([0, 3000, 1e9])(
  'a run whose job another node has ends at once, however old its own node is: %i ms',
  (nowMs) => {
    expect(whyLost({}, nowMs)).toMatch(/another node/)
    expect(whyLost({ orphanedAt: undefined }, nowMs)).toMatch(/another node/)
  },
)

test('a run whose job Redis has lost waits for the fleet to be put back, and not for ever', () => {
  expect(whyLost({ orphanedAt: 0 }, 100)).toBeUndefined()
  expect(whyLost({ orphanedAt: 5000 }, 16_999)).toBeUndefined()
  expect(whyLost({ orphanedAt: 5000 }, 17_001)).toMatch(/Redis lost/)
})
