import type { StoredEvent } from '../store/types.js'

/** The newest events of those that are known and of others, newest first; and which of them were not known. */
export function newestOf(
  known: readonly StoredEvent[],
  others: readonly StoredEvent[],
  most: number,
): { all: StoredEvent[]; fresh: StoredEvent[] } {
  const ids = new Set(known.map(({ id }) => id))
  const unknown = others.filter(({ id }) => !ids.has(id))
  const all = [...unknown, ...known].sort((a, b) => newerFirst(a.id, b.id)).slice(0, most)
  return { all, fresh: all.filter(({ id }) => !ids.has(id)) }
}

/** By the time and the number within it that are an id. */
function newerFirst(a: string, b: string): number {
  const [time = 0, number = 0] = partsOf(a)
  const [otherTime = 0, otherNumber = 0] = partsOf(b)
  return otherTime - time || otherNumber - number
}

const partsOf = (id: string): number[] => id.split('-').map(Number)
