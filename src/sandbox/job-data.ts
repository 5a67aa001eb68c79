import { messageOf } from '../errors.js'
import type { StartMessage } from '../protocol.js'
import { checkNickname } from '../redis/names.js'
import { RunError } from './failure.js'

/** Which worker a job is a run of. @throws RunError refused, where someone else made the job */
export function jobData({ job }: StartMessage): { nickname: string; revision: number; reason: unknown } {
  try {
    const { nickname, revision, reason } = JSON.parse(job.data) as Record<string, unknown>
    if (!Number.isSafeInteger(revision)) throw new Error('its revision is not a number')
    return { nickname: checkNickname(nickname), revision: revision as number, reason }
  } catch (error) {
    const message = `The job ${job.id} was not made by HySAS: ${messageOf(error)}`
    throw new RunError({ refused: true, code: 'BAD_MESSAGE', message })
  }
}
