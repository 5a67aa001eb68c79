import { availableParallelism } from 'node:os'
import { collectAfterFlood } from '../after-flood.js'
import type { Blocking } from '../protocol.js'
import type { Child } from './child.js'
import { type CommonChild, createCommonChild } from './common-child.js'
import type { VirtualChild } from './virtual-child.js'

/** So few workers of one common child are worth no second one, which costs 40 MB. */
const FEW = 16
/** Most of one common child: a heartbeat of each costs it 20 microseconds a second, and its fall takes so many with it. */
export const MOST = 5000
/** One that is silent for so long is given no more workers, ms. */
const SILENT_MS = 2500
/** One without workers is ended after so long, ms. */
const EMPTY_MS = 30_000

export interface CommonsOptions {
  /** A child that may become a common one. */
  take: () => Child
  onBlocking: (blocking: Blocking, culprit: VirtualChild | undefined, pid: number) => void
  onLine: (stream: string, line: string) => void
}

/** The common children of a node: as many as it has cores, filled evenly, and more where they would be too full. */
export function createCommons({ take, onBlocking, onLine }: CommonsOptions) {
  const all = new Set<CommonChild>()
  const cores = availableParallelism()
  const noteStart = collectAfterFlood()

  const open = (): CommonChild => {
    const child = take()
    const common = createCommonChild(child, { onBlocking, onLine, onEmpty })
    all.add(common)
    child.once('exit', () => all.delete(common))
    return common
  }

  const emptied = new WeakMap<CommonChild, number>()
  const onEmpty = (common: CommonChild): void => {
    const at = performance.now()
    emptied.set(common, at)
    setTimeout(() => {
      if (common.size() > 0 || emptied.get(common) !== at) return // it has had workers since
      all.delete(common)
      common.kill('it has no workers')
    }, EMPTY_MS).unref()
  }

  return {
    all: (): ReadonlySet<CommonChild> => all,

    /** A virtual child in the one that has fewest. */
    lodge(): VirtualChild {
      noteStart()
      const now = performance.now()
      const fit = [...all].filter(({ isSound, heardAt }) => isSound && now - heardAt < SILENT_MS)
      const workers = fit.reduce((sum, one) => sum + one.size(), 1)
      const wanted = Math.max(Math.min(cores, Math.ceil(workers / FEW)), Math.ceil(workers / MOST))
      if (fit.length < wanted) return open().lodge()
      return fit.reduce((least, one) => (one.size() < least.size() ? one : least)).lodge()
    },
  }
}
