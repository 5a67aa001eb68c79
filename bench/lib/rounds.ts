import type { Bench } from './bench.js'

export interface Samples {
  median: number
  all: number[]
}

/**
 * Measures each side once a round, in turn, so that a disturbance of the machine meets all alike. Returns the median of
 * each. `warmUp` rounds come first and don't count.
 */
export async function inTurn<Name extends string>(
  bench: Bench,
  rounds: number,
  sides: Record<Name, (round: number) => Promise<number>>,
  { warmUp = 0 } = {},
): Promise<Record<Name, Samples>> {
  const names = Object.keys(sides) as Name[]
  const all = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = -warmUp; round < rounds; round++) {
    for (const name of names) {
      bench.progress(`${round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`}: ${name}`)
      const value = await sides[name](round)
      if (round >= 0) all[name].push(value)
    }
  }
  return Object.fromEntries(names.map((name) => [name, { median: median(all[name]), all: all[name] }])) as Record<
    Name,
    Samples
  >
}

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** Of the sorted values, the one below which `percent` of them lie; between two, in proportion. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = ((sorted.length - 1) * percent) / 100
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place % 1)
}

/** How long `work` takes, ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}
