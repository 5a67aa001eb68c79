import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/folder.js'

/** V8's flags are the whole process's, so each case has one of its own. Prints the MB of new objects' space as it goes on. */
const PROGRAM = `
  import { getHeapSpaceStatistics } from 'node:v8'
  import { createYoungSpace } from './src/sandbox/young-space.js'
  const space = createYoungSpace()
  let keep = []
  const flood = () => {
    for (let i = 0; i < 2000; i++) keep.push({ i, list: [i] })
    if (keep.length > 50_000) keep = keep.slice(-25_000)
  }
  const mb = () => getHeapSpaceStatistics().find((one) => one.space_name === 'new_space').space_size / 2 ** 20
  const grown = []
  for (const workers of process.argv[2].split(',').map(Number)) {
    for (let n = 0; n < 1000; n++) {
      flood()
      space.holdFor(workers)
    }
    grown.push(mb())
  }
  console.log(JSON.stringify(grown))`

/** How large the space is after a flood of new objects with so many workers, and then with so many. */
function grown(...workers: number[]): number[] {
  const outfile = join(temporaryFolder('hysas-young'), 'program.mjs')
  const resolveDir = join(import.meta.dirname, '../..')
  const stdin = { contents: PROGRAM, resolveDir, loader: 'ts' as const }
  buildSync({ stdin, outfile, bundle: true, platform: 'node', format: 'esm' })
  return JSON.parse(execFileSync(process.execPath, [outfile, workers.join()], { encoding: 'utf8' })) as number[]
}

describe('the space of new objects', () => {
  it('grows as V8 wants it while there are few workers', () => {
    const [space = 0] = grown(31)
    expect(space).toBeGreaterThan(4)
  })

  it('stays at 4 MB while there are many, however long', () => {
    expect(grown(32, 2000, 32)).toEqual([4, 4, 4])
  })

  it('may grow again when most of them have gone', () => {
    const [many, few = 0] = grown(100, 31)
    expect(many).toBe(4)
    expect(few).toBeGreaterThan(4)
  })

  it('is left as it is where it had grown before they came', () => {
    const [few = 0, many = 0] = grown(1, 100)
    expect(many).toBe(few)
  })
})
