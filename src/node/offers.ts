import type { ProcessorManifest } from '../contract.js'
import type { OfferedType } from '../fleet/nodes.js'
import type { CatalogEntry } from './catalog.js'

/** What a node tells others of its processors: manifest, version and file; broken ones with the reason. */
export function offersOf(entries: readonly CatalogEntry[]): Record<string, OfferedType> {
  return Object.fromEntries(
    entries.map(({ type, manifest, version, file, error, builtin, bundle, at }) => [
      type,
      {
        ...{ ...(manifest ?? NOTHING_KNOWN), version, file, builtin, usable: bundle !== '' },
        ...{ error, error_since: error ? at / 1000 : null },
      },
    ]),
  )
}

const NOTHING_KNOWN: ProcessorManifest = {
  kind: 'long-running',
  isolation: 'process',
  description: '',
  params: { type: 'object' },
  operations: {},
  heartbeatSeconds: 1,
  graceSeconds: 10,
  restart: { minDelayMs: 2000, maxDelayMs: 30_000, healthyAfterMs: 60_000, giveUpAfter: null },
  maxMemoryMb: null,
  maxLoopDelayMs: null,
  every: null,
  cron: null,
  timezone: null,
}
