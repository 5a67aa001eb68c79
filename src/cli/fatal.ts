import type { Logger } from '../log.js'

/** To end in order, ms: more than the workers' default grace. */
const DEADLINE_MS = 20_000
/** Errors told: what ends in order may go on failing. */
const MOST_TOLD = 10

export interface Fatal {
  /** Aborted when the end is asked for, or with the first error that nobody caught. */
  readonly end: AbortSignal
  /** @throws that error, if there was one */
  check(): void
  release(): void
}

/**
 * Hears errors that nobody caught and rejections that nobody awaited, until released. Each is told in the log. With the
 * first, whoever hears `end` is to end in order; past the deadline the process ends by that error.
 */
export function watchFatal(log: Logger, asked: AbortSignal): Fatal {
  const controller = new AbortController()
  const first: unknown[] = []
  let deadline: NodeJS.Timeout | undefined
  let told = 0

  const hear = (thrown: unknown): void => {
    if (told++ < MOST_TOLD) log.fatal({ err: thrown }, 'an error that nobody caught: this node ends')
    if (first.length) return
    first.push(thrown)
    deadline = setTimeout(() => {
      release()
      throw thrown
    }, DEADLINE_MS)
    controller.abort(thrown)
  }
  const pass = () => controller.abort(asked.reason)
  const release = (): void => {
    clearTimeout(deadline)
    process.off('uncaughtException', hear)
    asked.removeEventListener('abort', pass)
  }
  process.on('uncaughtException', hear) // rejections come here, too
  if (asked.aborted) pass()
  asked.addEventListener('abort', pass, { once: true })
  return {
    end: controller.signal,
    check() {
      if (first.length) throw first[0]
    },
    release,
  }
}
