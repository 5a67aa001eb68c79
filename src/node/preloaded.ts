import type { InitMessage } from '../protocol.js'
import type { Child } from './child.js'

type Loadable = InitMessage['value']

/** Types whose spare child has the file loaded; each costs 40 to 60 MB. */
const TYPES = 2
/** Spares are made when nothing has been started for so long, so that they don't take the processor from what starts, ms. */
const QUIET_MS = 300
const LOAD_DEADLINE_MS = 15_000

/**
 * Spare children that have loaded what was started last: the next worker of the type, or the same one after a crash, is
 * there without waiting for its file.
 */
export function createPreloaded(spawn: () => Child | undefined) {
  /** By type, the one that was started last at the end. */
  const recent = new Map<string, Loadable>()
  const ready = new Map<string, { child: Child; bundle: string }>()
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const drop = (type: string): void => {
    ready.get(type)?.child.signal('SIGKILL')
    ready.delete(type)
  }

  const refill = (): void => {
    timer = undefined
    for (const [type, { bundle }] of ready) if (recent.get(type)?.bundle !== bundle) drop(type)
    for (const [type, value] of recent) {
      if (closed || ready.has(type)) continue
      const child = spawn()
      if (!child) return
      const entry = { child, bundle: value.bundle }
      ready.set(type, entry)
      child.once('exit', () => {
        if (ready.get(type) === entry) ready.delete(type)
      })
      child.load(value, LOAD_DEADLINE_MS).catch(() => child.signal('SIGKILL')) // who starts it is told why
    }
  }

  return {
    /** The spare that has this loaded, if there is one; and the next is made for it. */
    take(value: Loadable): Child | undefined {
      recent.delete(value.type)
      recent.set(value.type, value)
      for (const type of recent.keys()) if (recent.size > TYPES) recent.delete(type)
      clearTimeout(timer)
      timer = setTimeout(refill, QUIET_MS).unref()
      const found = ready.get(value.type)
      if (!found?.child.isAlive || found.child.processFile !== value.bundle) return undefined
      ready.delete(value.type)
      return found.child
    },
    close(): void {
      closed = true
      clearTimeout(timer)
    },
  }
}
