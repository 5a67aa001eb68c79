import { describe, expect, it } from 'vitest'
import type { Run } from '../../src/node/run.js'
import { createSilence } from '../../src/node/silence.js'
import { run } from '../helpers/process.js'
import { until } from '../helpers/until.js'

/** A run as far as silence looks at it: `heard`, `handed` and `taken` are ms ago. */
function silent(of: { heard?: number; handed?: number; taken: number; pid?: number; ending?: boolean }): Run {
  const now = performance.now()
  return {
    takenAt: now - of.taken,
    ...(of.handed !== undefined && { handedAt: now - of.handed }),
    ...(of.heard !== undefined && { heardAt: now - of.heard }),
    ...(of.ending && { ending: 'stop' }),
    child: { pid: of.pid ?? process.pid },
  } as unknown as Run
}

const why = (run: Run): string | undefined => createSilence()([run])[0]?.why

describe('a run whose child is silent', () => {
  it('is left alone while the child may be busy', () => {
    expect(why(silent({ taken: 60_000, handed: 60_000, heard: 900 }))).toBeUndefined()
    expect(why(silent({ taken: 60_000, handed: 60_000, heard: 7000 }))).toBeUndefined()
  })

  it('is wedged when its event loop has been blocked for long, also where it never said a word', () => {
    expect(why(silent({ taken: 60_000, handed: 60_000, heard: 8000 }))).toContain('event loop was blocked for 8.0 s')
    expect(why(silent({ taken: 60_000, handed: 8000 }))).toContain('event loop')
  })

  it('is left to the deadline for loading while it loads, and to the ladder while it ends', () => {
    expect(why(silent({ taken: 60_000 }))).toBeUndefined()
    expect(why(silent({ taken: 60_000, handed: 60_000, heard: 60_000, ending: true }))).toBeUndefined()
  })

  it('is wedged soon when the system has stopped its process, whatever it was at', async () => {
    const stopped = run('sleep', ['60'])
    stopped.child.kill('SIGSTOP')
    await until(() => why(silent({ taken: 4000, pid: stopped.pid }))?.includes('was stopped'))
    expect(why(silent({ taken: 9000, handed: 9000, heard: 3500, pid: stopped.pid }))).toContain('silent for 3.5 s')
    expect(why(silent({ taken: 9000, handed: 9000, heard: 2500, pid: stopped.pid }))).toBeUndefined()
    await stopped.kill()
  })

  it('is given time where the node itself was held up, and has not read what the child said', async () => {
    const wedged = createSilence()
    const run = silent({ taken: 60_000, handed: 60_000, heard: 8000 })
    const end = performance.now() + 1000
    while (performance.now() < end);
    expect(wedged([run])).toEqual([])
    await until(() => wedged([run]).length === 1, { everyMs: 300 })
  })
})
