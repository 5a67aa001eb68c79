import type { RequestHandler, Response } from 'express'
import { HysasError } from '../errors.js'
import type { Frames } from './frames.js'
import type { Live } from './live.js'

/** So that a page notices a connection that has gone silent. */
const PING_MS = 3_000
/**
 * Bytes that may wait for a page, beside the snapshot that it is given. One that is slower misses the changes and gets a
 * snapshot when it has caught up.
 */
const MAX_WAITING = 1_000_000
/** A page that has read nothing of what waits for so long is gone, ms. */
const GONE_MS = 60_000
/** Pages that may be open at once: each may have a snapshot waiting. */
export const MOST_PAGES = 200

/** Headers of server-sent events; the last one is for nginx. */
export const EVENT_STREAM = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
}

export interface Stream {
  handler: RequestHandler
  /** Ends all streams. */
  close(): void
}

/** Server-sent events: every open page hears the one `live`; a frame is written as JSON once for all of them. */
export function streamOf(live: Live): Stream {
  const pages = new Set<Page>()
  let unlisten: (() => void) | undefined
  let ping: NodeJS.Timeout | undefined

  const begin = () => {
    unlisten ??= live.listen((what, data) => {
      const text = frame(what, data)
      for (const page of pages) page.send(text)
    })
    ping ??= setInterval(() => {
      for (const page of pages) {
        if (page.behindMs > GONE_MS) page.end()
        else page.ping()
      }
    }, PING_MS)
  }
  const leave = (page: Page) => {
    pages.delete(page)
    if (pages.size > 0) return
    clearInterval(ping)
    unlisten?.()
    ping = unlisten = undefined
  }

  return {
    handler(req, res) {
      if (pages.size >= MOST_PAGES) throw new HysasError('RATE_LIMITED', { seconds: 10 })
      res.set(EVENT_STREAM).flushHeaders()
      if (req.method === 'HEAD') return void res.end()
      const page = new Page(res, async () => frame('snapshot', await live.snapshot()))
      pages.add(page)
      begin()
      res.on('close', () => leave(page))
      page.refresh()
    },
    close() {
      for (const page of [...pages]) {
        page.end()
        leave(page)
      }
    },
  }
}

/** One open page, with what it has missed. */
class Page {
  readonly #res: Response
  readonly #snapshot: () => Promise<string>
  /** Since when its snapshot is not written; until it is, changes aren't. */
  #behindSince: number | undefined = performance.now()
  #refreshing = false
  #begun = false
  /** Bytes of its snapshot that the system has not taken: a page whose snapshot is on its way is not slow for that. */
  #snapshotWaits = 0

  constructor(res: Response, snapshot: () => Promise<string>) {
    this.#res = res
    this.#snapshot = snapshot
    res.on('drain', () => {
      this.#snapshotWaits = 0
      if (this.#behindSince !== undefined) this.refresh()
    })
  }

  /** For how long it has not been up to date. */
  get behindMs(): number {
    return this.#behindSince === undefined ? 0 : performance.now() - this.#behindSince
  }

  send(text: string): void {
    if (this.#behindSince !== undefined) return
    this.#res.write(text)
    if (this.#res.writableLength > MAX_WAITING + this.#snapshotWaits) this.#behindSince = performance.now()
  }

  /** Also while it is behind: what is slow must not look dead. Never before the first snapshot. */
  ping(of: { snapshot?: number } = {}): void {
    if (this.#begun && !this.#res.writableEnded) this.#res.write(frameOf('ping', of))
  }

  refresh(): void {
    if (this.#refreshing) return
    this.#refreshing = true
    this.#snapshot().then(
      (text) => {
        this.#refreshing = false
        if (this.#res.destroyed || this.#res.writableEnded) return
        // so long, nothing else comes: on a slow line that must not look dead
        this.ping({ snapshot: text.length })
        this.#begun = true
        this.#res.write(text)
        this.#snapshotWaits = this.#res.writableLength
        this.#behindSince = undefined
      },
      () => this.end(),
    )
  }

  end(): void {
    this.#res.end()
    // A page that doesn't read is not waited for.
    setTimeout(() => this.#res.destroy(), 100).unref()
  }
}

const frame = <K extends keyof Frames>(what: K, data: Frames[K]): string => frameOf(what, data)

/** One server-sent event. */
export function frameOf(what: string, data: unknown): string {
  return `event: ${what}\ndata: ${JSON.stringify(data)}\n\n`
}
