import { messageOf } from '../errors.js'
import type { Logger } from '../log.js'

/**
 * Does `work` again and again, `ms` after it has ended, never twice at once; what it throws is told and survived.
 * @returns ends it
 */
export function again(log: Logger, ms: number, what: string, work: () => Promise<unknown>): () => void {
  let timer: NodeJS.Timeout | undefined
  let ended = false
  const turn = async () => {
    await work().catch((error: unknown) => {
      if (!ended) log.debug({ err: messageOf(error) }, what)
    })
    if (!ended) timer = setTimeout(turn, ms)
  }
  timer = setTimeout(turn, ms)
  return () => {
    ended = true
    clearTimeout(timer)
  }
}
