import { setMaxListeners } from 'node:events'
import { HysasError } from '../errors.js'

/** Runs until the signal, telling what it finds. */
export type Source<T> = (tell: (item: T) => void, signal: AbortSignal) => Promise<void>

interface Topic<T> {
  /** With what is called where the source ends by itself. */
  listeners: Map<(item: T) => void, (error: unknown) => void>
  end: AbortController
}

/** Different sources that one node follows for its pages at once. */
const MOST = 20

/**
 * What several pages follow at once: a worker's log, a channel. Each source is begun for the first that asks for its key
 * and ended with the last, so what it costs doesn't grow with the number of pages.
 */
export class Shared<T> {
  readonly #open = new Map<string, Topic<T>>()

  /** Hears a source from now on; `failed` where it ends by itself. Returns how to stop. @throws HysasError RATE_LIMITED where too many are followed */
  join(key: string, source: Source<T>, listener: (item: T) => void, failed: (error: unknown) => void): () => void {
    const topic = this.#open.get(key) ?? this.#begin(key, source)
    topic.listeners.set(listener, failed)
    return () => {
      topic.listeners.delete(listener)
      if (topic.listeners.size === 0) this.#end(key, topic)
    }
  }

  get size(): number {
    return this.#open.size
  }

  close(): void {
    for (const [key, topic] of this.#open) this.#end(key, topic)
  }

  #begin(key: string, source: Source<T>): Topic<T> {
    if (this.#open.size >= MOST) throw new HysasError('RATE_LIMITED', { seconds: 10 })
    const topic: Topic<T> = { listeners: new Map(), end: new AbortController() }
    setMaxListeners(0, topic.end.signal)
    this.#open.set(key, topic)
    const tell = (item: T) => {
      for (const listener of topic.listeners.keys()) listener(item)
    }
    const ended = (error: unknown) => {
      const failures = topic.end.signal.aborted ? [] : [...topic.listeners.values()]
      this.#end(key, topic)
      for (const failed of failures) failed(error)
    }
    source(tell, topic.end.signal).then(() => ended(new Error('it has ended')), ended)
    return topic
  }

  #end(key: string, topic: Topic<T>): void {
    topic.end.abort()
    if (this.#open.get(key) === topic) this.#open.delete(key)
  }
}
