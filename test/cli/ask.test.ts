import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { ask } from '../../src/cli/ask.js'

it.each([
  ['yes', 'y\r', true],
  ['no', 'n\r', false],
  ['nothing', '\r', false],
  ['Ctrl-C', '\u0003', false],
  ['Ctrl-D', '\u0004', false],
])('%s as answer of a question', async (_name, typed, answer) => {
  const input = new PassThrough()
  const output = new PassThrough()
  const asked = ask('Sure?', input, output)
  input.write(typed)
  expect(await asked).toBe(answer)
  expect(String(output.read())).toContain('Sure? [y/N] ')
})
