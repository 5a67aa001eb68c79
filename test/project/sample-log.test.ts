import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

interface Fed {
  line: string
  waitMs: number
}

// The scripts are plain JavaScript, without types.
const script = join(import.meta.dirname, '../../scripts/demo/sample-log.mjs')
const { sampleLog } = (await import(script)) as { sampleLog(): Iterable<Fed> }

function lines(count: number): Fed[] {
  const taken: Fed[] = []
  for (const one of sampleLog()) {
    taken.push(one)
    if (taken.length === count) return taken
  }
  return taken
}

describe('the sample log of the demo', () => {
  const log = lines(5000)

  it('names only addresses that are set aside for documentation', () => {
    const addresses = log.flatMap(({ line }) => line.match(/\d+\.\d+\.\d+\.\d+/g) ?? [])
    expect(addresses.filter((address) => !/^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$/.test(address))).toEqual([])
  })

  it('has people who log in, slips, guessing, and repeated messages', () => {
    const text = log.map(({ line }) => line).join('\n')
    for (const what of [
      /Accepted publickey for \w+ from 192\.0\.2/,
      /Failed password for \w+ from 192\.0\.2/,
      /Failed password for invalid user \w+ from (198|203)/,
      /message repeated 5 times: \[ Failed password for root from (198|203)\S+ port \d+ ssh2\]/,
    ]) {
      expect(text).toMatch(what)
    }
  })

  it('keeps a living pace: some lines a second, and guessing soon', () => {
    const seconds = log.reduce((sum, { waitMs }) => sum + waitMs, 0) / 1000
    expect(log.length / seconds).toBeGreaterThan(2)
    expect(log.length / seconds).toBeLessThan(20)
    const until = log.findIndex(({ line }) => /(198\.51|203\.0)/.test(line))
    expect(log.slice(0, until).reduce((sum, { waitMs }) => sum + waitMs, 0)).toBeLessThan(10_000)
  })
})
