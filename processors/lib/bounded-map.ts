/** A Map that holds at most `limit` entries: beyond that the one that was used longest ago goes. */
export class BoundedMap<K, V> {
  #entries = new Map<K, V>()
  /** How many had to go. */
  evicted = 0

  constructor(readonly limit: number) {}

  get size(): number {
    return this.#entries.size
  }

  /** Counts as use. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value !== undefined) {
      this.#entries.delete(key)
      this.#entries.set(key, value)
    }
    return value
  }

  set(key: K, value: V): V {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.limit) {
      const [oldest] = this.#entries.keys()
      if (oldest !== undefined) this.#entries.delete(oldest)
      this.evicted++
    }
    return value
  }

  delete(key: K): boolean {
    return this.#entries.delete(key)
  }

  /** Used longest ago first. */
  values(): V[] {
    return [...this.#entries.values()]
  }
}
