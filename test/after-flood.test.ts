import { expect, it } from 'vitest'
import { collectAfterFlood } from '../src/after-flood.js'
import { until } from './helpers/until.js'

/** Tells when what was made here and left is collected. */
function leave(): () => boolean {
  let gone = false
  const registry = new FinalizationRegistry(() => {
    gone = true
  })
  registry.register({ left: Array.from({ length: 1000 }, (_, i) => ({ i })) }, undefined)
  return () => gone && registry !== undefined
}

it('what a flood of starts leaves is collected when it is over', async () => {
  const noteStart = collectAfterFlood()
  const isGone = leave()
  for (let i = 0; i < 100; i++) noteStart()
  await until(isGone, { timeoutMs: 10_000, what: 'it is collected' })
  expect('gc' in globalThis).toBe(false)
})
