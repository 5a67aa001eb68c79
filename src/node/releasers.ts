import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../errors.js'
import type { Logger } from '../log.js'

/** What is released may take so long, ms: the others must not wait for it for ever. */
const RELEASE_MS = 6000

/** What has been opened, to be let go of in the opposite order. */
export function createReleasers(log: Logger) {
  const releasers: (() => unknown)[] = []

  return {
    add(release: () => unknown): void {
      releasers.push(release)
    },

    /** What fails is told in the log, and keeps nothing else from being released. */
    async releaseAll(): Promise<void> {
      for (const release of releasers.splice(0).reverse()) {
        const releasing = Promise.resolve()
          .then(release)
          .catch((error: unknown) => log.debug({ err: messageOf(error) }, 'while ending'))
        await Promise.race([releasing, delay(RELEASE_MS, undefined, { ref: false })])
      }
    },
  }
}
