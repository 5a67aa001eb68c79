import type { Context } from 'hysas'

export interface Attempt {
  /** Ms to wait before the next one; 0 after a success. */
  waitMs: number
  failures: number
  problem: string
}

/**
 * Runs `work` and, where it fails, tells how long to wait: 1 s, doubled with each failure in a row up to 30 s. Logged
 * once when it begins to fail and once when it works again, not in between.
 * What no waiting mends is thrown on: a database that is not configured, a table that is another's, a run that was overtaken.
 */
export function retrying(ctx: Pick<Context, 'log'>, what: string): (work: () => Promise<void>) => Promise<Attempt> {
  let failures = 0
  return async (work) => {
    try {
      await work()
      if (failures > 0) ctx.log.info({ failures }, `${what}: works again`)
      failures = 0
      return { waitMs: 0, failures, problem: '' }
    } catch (error) {
      if (FINAL.has(String((error as { code?: unknown }).code))) throw error
      failures++
      if (failures === 1) ctx.log.error({ err: error }, `${what}: failed; trying again until it works`)
      const problem = error instanceof Error ? error.message : String(error)
      return { waitMs: Math.min(LONGEST, FIRST * 2 ** (failures - 1)), failures, problem }
    }
  }
}

const FINAL = new Set(['UNKNOWN_DATABASE', 'FOREIGN_TABLE', 'STALE_RUN'])
const FIRST = 1000
const LONGEST = 30_000
