import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import type { Log } from '../contract.js'
import { HysasError, messageOf } from '../errors.js'

/** Downloads of any length that one node serves at once. */
const MOST = 5
/** One that takes nothing for so long is cut off, ms. */
const PATIENCE_MS = 60_000

/** Sends answers that come in pieces, each when the one before has been taken. */
export class Downloads {
  readonly #log: Log
  #open = 0

  constructor(log: Log) {
    this.#log = log
  }

  /** @throws HysasError RATE_LIMITED */
  refuseMore(): void {
    if (this.#open >= MOST) throw new HysasError('RATE_LIMITED', { seconds: 10 })
  }

  /**
   * Resolves when all is sent, or whoever asked is gone: then nothing more is read. What fails in the midst breaks the
   * connection, so that what was got isn't taken for all of it.
   */
  async send(req: Request, res: Response, pieces: AsyncGenerator<string, void>): Promise<void> {
    if (req.method === 'HEAD') return void res.end()
    this.#open++
    res.setTimeout(PATIENCE_MS, () => res.destroy())
    try {
      await pipeline(pieces, res)
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE'
      if (!isGone) this.#log.warn({ reason: messageOf(error), path: req.path }, 'a download broke off')
    } finally {
      this.#open--
    }
  }
}
