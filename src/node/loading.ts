import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProcessorManifest } from '../contract.js'
import { HysasError, toHysasError } from '../errors.js'
import { hostNowMs } from '../redis/clock.js'
import type { Trace } from './bundling.js'
import type { Candidate } from './candidates.js'
import { freshnessOf } from './freshness.js'
import { probeProcessor } from './probe.js'
import { recall, remember } from './recall.js'

/** A version of a processor that was compiled and probed without fault. */
export interface Good {
  file: string
  builtin: boolean
  version: string
  bundle: string
  manifest: ProcessorManifest
}

export interface Loaded {
  /** What is in force; undefined when there was never a good one. */
  good: Good | undefined
  /** What is wrong with the newest file; empty when nothing is. */
  error: string
  /** What was read, and its state on disk as it was read. */
  trace: Trace
  signature: string
}

/** So long a file must have been left alone before it is read: editors and copies write in several steps. */
const QUIET_MS = 100
/** A file that fails may be half written still, when it changed so recently. */
const RECENT_MS = 400
const MOST_ATTEMPTS = 6
/** File systems keep time in ticks of some ms. */
const TICK_MS = 20

/**
 * Compiles and probes the newest file of a type, again and again until it has not changed meanwhile. If it is broken,
 * `before` stays in force; without one, the file that it shadows.
 * @param candidates the newest first; at least one
 */
export async function loadType(
  candidates: readonly Candidate[],
  before: Good | undefined,
  outDir: string,
  signal: AbortSignal,
): Promise<Loaded> {
  const probed = new Map(before && [[before.bundle, before.manifest]])
  for (let attempt = 1; ; attempt++) {
    await quiet(candidates)
    const began = hostNowMs()
    const loaded = await loadOnce(candidates, before, { outDir, probed, signal })
    const { signature, newest } = await stateOf(candidates, loaded)
    const changed = newest > began - TICK_MS
    const halfWritten = loaded.error !== '' && Math.abs(hostNowMs() - newest) < RECENT_MS
    if (signal.aborted || attempt === MOST_ATTEMPTS || !(changed || halfWritten)) return { ...loaded, signature }
    await sleep(QUIET_MS)
  }
}

/** The state on disk of all that decides about a type, to be compared with that of `Loaded.signature`. */
export async function signatureOf(candidates: readonly Candidate[], loaded: Loaded): Promise<string> {
  return (await stateOf(candidates, loaded)).signature
}

async function stateOf(candidates: readonly Candidate[], { good, trace }: Omit<Loaded, 'signature'>) {
  const files = candidates.map(({ file }) => file)
  const { signature, newest } = await freshnessOf([...files, ...trace.files, ...trace.missing])
  const order = candidates.map(({ file, refused }) => `${file} ${refused}`)
  const lost = good !== undefined && !existsSync(good.bundle) // somebody emptied the folder of bundles
  return { signature: [...order, signature, lost].join('\n'), newest }
}

async function quiet(candidates: readonly Candidate[]): Promise<void> {
  for (let round = 0; round < 20; round++) {
    const { newest } = await freshnessOf(candidates.map(({ file }) => file))
    const age = hostNowMs() - newest
    if (age < 0 || age >= QUIET_MS) return
    await sleep(QUIET_MS - age)
  }
}

interface Means {
  outDir: string
  /** Manifests of bundles that were probed already. */
  probed: Map<string, ProcessorManifest>
  signal: AbortSignal
}

async function loadOnce(
  candidates: readonly Candidate[],
  before: Good | undefined,
  means: Means,
): Promise<Omit<Loaded, 'signature'>> {
  const trace: Trace = { files: new Set(), missing: new Set() }
  let error = ''
  for (const candidate of candidates) {
    try {
      return { good: await loadFile(candidate, trace, means), error, trace }
    } catch (thrown) {
      error ||= toHysasError(thrown).message
    }
    if (before) break
  }
  return { good: before, error, trace }
}

async function loadFile(candidate: Candidate, trace: Trace, { outDir, probed, signal }: Means): Promise<Good> {
  const { file, builtin, refused } = candidate
  if (refused) throw new HysasError('BAD_PROCESSOR', { file, reason: refused })
  const recalled = await recall(candidate, outDir, trace)
  if (recalled) return { file, builtin, ...recalled }
  const beganMs = hostNowMs() - TICK_MS
  const { compileProcessor } = await import('./compile.js') // esbuild: most nodes never need it
  const { bundle, version, files } = await compileProcessor({ file, outDir, trace, signal })
  const manifest = probed.get(bundle) ?? (await probeProcessor({ bundle, file, signal }))
  probed.set(bundle, manifest)
  const made = { bundle, version, manifest }
  await remember(candidate, outDir, made, trace, files, beganMs).catch(() => {}) // the next node takes longer: no harm
  return { file, builtin, ...made }
}
