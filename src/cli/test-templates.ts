/** Tests that `hysas new` writes beside a processor; `hysas test` runs them by Node's own runner. */

export const longRunning = (type: string) => `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHarness } from 'hysas/testing'
import processor from './${type}'

test('publishes what it hears and contains the word', async () => {
  const harness = createHarness(processor, { nickname: 'mine', params: { word: 'alarm' } })
  await harness.start()
  await harness.send('all is quiet')
  await harness.send('an alarm!')
  assert.deepEqual(
    harness.published.map(({ data }) => data),
    [{ text: 'an alarm!', from: 'lines' }],
  )
  await harness.stop()
})
`

export const repeatable = (type: string) => `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHarness } from 'hysas/testing'
import processor from './${type}'

test('publishes a greeting at every tick', async () => {
  const harness = createHarness(processor, { params: { greeting: 'Now:' } })
  await harness.start()
  await harness.tick()
  await harness.tick()
  assert.equal(harness.published.length, 2)
  assert.match(String(harness.published[0]?.data), /^Now: /)
  await harness.stop()
})
`
