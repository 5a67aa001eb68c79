import type { ProcessorManifest } from '../contract.js'
import type { RunFailure } from '../protocol.js'
import type { Run } from './run.js'

type Policy = Pick<ProcessorManifest['restart'], 'minDelayMs' | 'maxDelayMs' | 'healthyAfterMs' | 'giveUpAfter'>

const DEFAULT_RESTART: Policy = { minDelayMs: 2000, maxDelayMs: 30_000, healthyAfterMs: 60_000, giveUpAfter: null }

/** When a run that has failed may come back. */
export function restartOf({ entry, handedAt }: Run, crashed: boolean, { unfit }: RunFailure): Policy {
  const policy = entry.manifest?.restart ?? DEFAULT_RESTART
  if (unfit) return patient(policy)
  return crashed && handedAt === undefined ? slower(policy) : policy
}

/** A worker whose file was edited so that it refuses its parameters waits for its mending, for as long as that takes. */
function patient(policy: Policy): Policy {
  return { ...policy, minDelayMs: policy.maxDelayMs, giveUpAfter: null }
}

/**
 * A processor that can't even be loaded is not tried in the rhythm of its own policy: at most six times a minute,
 * whatever the jitter.
 */
function slower(policy: Policy): Policy {
  const minDelayMs = Math.max(4000, policy.minDelayMs)
  return { ...policy, minDelayMs, maxDelayMs: Math.max(30_000, policy.maxDelayMs) }
}
