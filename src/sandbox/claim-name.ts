import type { RunResult } from '../protocol.js'
import { type ClaimAnswer, type ClaimRequest, claim } from '../redis/run-scripts.js'
import type { Ending } from './ending.js'
import type { Home } from './home.js'
import { OUTCOMES } from './outcome.js'
import { sleep } from './sleep.js'

const BUSY_PAUSE_MS = 25

/** Claims a worker's name for one run, waiting for the run before to end. @returns how it ended where it never began */
export async function claimName(
  home: Home,
  request: ClaimRequest,
  ending: Ending,
): Promise<Extract<ClaimAnswer, { claimed: true }> | RunResult> {
  const { nickname } = request
  for (;;) {
    const answer = await claim(home.redis, home.names, request)
    if (answer.claimed) return answer
    if (answer.why !== 'busy') return { how: answer.why, nickname }
    await sleep(BUSY_PAUSE_MS, ending.signal)
    if (ending.reason) return { how: OUTCOMES[ending.reason]?.how ?? 'lost', nickname }
  }
}
