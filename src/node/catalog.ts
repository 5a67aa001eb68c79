import { setMaxListeners } from 'node:events'
import { type FSWatcher, watch } from 'chokidar'
import type { Log, ProcessorManifest } from '../contract.js'
import { messageOf } from '../errors.js'
import { markUsed, pruneBundles } from './bundles.js'
import { type Candidate, findCandidates } from './candidates.js'
import { type Loaded, loadType, signatureOf } from './loading.js'

export interface CatalogOptions {
  /** The user's folders; types of the first shadow those of later ones. Absolute. */
  folders: readonly string[]
  /** Shadowed by all of them. */
  builtinFolder: string
  /** Where bundles go. */
  outDir: string
  log: Pick<Log, 'info' | 'warn' | 'error'>
  /** A type is new, has a new version, is broken, mended or gone. */
  onChange?(type: string): void
}

export interface CatalogEntry {
  readonly type: string
  /** The newest file; where it is broken, `version` and all else may be of an older one. */
  readonly file: string
  readonly builtin: boolean
  /** Of the last good version; empty when there was none. */
  readonly version: string
  /** Absolute path of its bundle; empty when there was none. */
  readonly bundle: string
  /** Undefined when there was never a good version. */
  readonly manifest: ProcessorManifest | undefined
  /** What is wrong with the newest file; empty when nothing is. */
  readonly error: string
  /** Unix ms since which it is so; where it is broken, since which it has been broken. */
  readonly at: number
}

export interface Catalog {
  /** Resolves when every file has been compiled and probed once; from then on the folders are watched. */
  start(): Promise<void>
  get(type: string): CatalogEntry | undefined
  /** By type. */
  all(): CatalogEntry[]
  close(): Promise<void>
}

/** Files compiled and probed at the same time. */
const AT_ONCE = 2
/** The watcher tells most changes at once; this finds the rest (network drives, folders that come later). */
const SCAN_MS = 500
/** An editor that replaces a file removes it for a moment. */
const GONE_MS = 200
const MARK_MS = 3_600_000

interface Known {
  candidates: readonly Candidate[]
  loaded: Loaded
  entry: CatalogEntry
  missingSince?: number
}

/** Finds the processors of all folders, keeps the last good version of each, and follows every change of their files. */
export function createCatalog(options: CatalogOptions): Catalog {
  const { folders, builtinFolder, outDir, log } = options
  const known = new Map<string, Known>()
  const loading = new Map<string, Promise<void>>()
  const told = new Map<string, string>()
  const closing = new AbortController()
  setMaxListeners(0, closing.signal) // one listener for each file under way
  const limited = limit(AT_ONCE)
  let watcher: FSWatcher | undefined
  let scanning: Promise<void> | undefined
  let scanAgain = false
  let soon: NodeJS.Timeout | undefined
  let timer: NodeJS.Timeout | undefined
  let starting: Promise<void> | undefined
  let marked = Date.now()

  /** One scan at a time; what is asked for meanwhile is one more. */
  function scan(): Promise<void> {
    if (scanning) scanAgain = true
    scanning ??= scanOnce()
      .catch((error: unknown) => log.error({ reason: messageOf(error) }, 'the processor folders can not be read'))
      .finally(() => {
        scanning = undefined
        if (scanAgain && !closing.signal.aborted) {
          scanAgain = false
          void scan()
        }
      })
    return scanning
  }

  async function scanOnce(): Promise<void> {
    const found = await findCandidates(folders, builtinFolder)
    tell(found.odd)
    watcher?.add(found.folders)
    for (const [type, candidates] of found.byType) {
      const before = known.get(type)
      if (before) delete before.missingSince
      if (loading.has(type) || closing.signal.aborted) continue
      if (before && (await signatureOf(candidates, before.loaded)) === before.loaded.signature) continue
      const load = limited(() => refresh(type, candidates)).finally(() => loading.delete(type))
      loading.set(type, load)
    }
    for (const type of known.keys()) if (!found.byType.has(type)) forget(type)
    if (Date.now() - marked > MARK_MS) {
      marked = Date.now()
      await markUsed(bundlesInUse())
    }
  }

  async function refresh(type: string, candidates: readonly Candidate[]): Promise<void> {
    if (closing.signal.aborted) return
    const before = known.get(type)
    try {
      const loaded = await loadType(candidates, before?.loaded.good, outDir, closing.signal)
      if (closing.signal.aborted) return
      const entry = entryOf(type, candidates, loaded, before?.entry)
      const same = before !== undefined && isSame(before.entry, entry)
      known.set(type, { candidates, loaded, entry: same ? before.entry : entry })
      watcher?.add([...loaded.trace.files])
      if (!same) changed(type, entry)
    } catch (error) {
      log.error({ type, reason: messageOf(error) }, 'a processor can not be loaded')
    }
  }

  function forget(type: string): void {
    const gone = known.get(type)
    if (!gone || loading.has(type)) return
    gone.missingSince ??= Date.now()
    if (Date.now() - gone.missingSince < GONE_MS) {
      scanSoon(GONE_MS)
      return
    }
    known.delete(type)
    log.info({ type, file: gone.entry.file }, 'processor removed')
    notify(type)
  }

  function changed(type: string, { file, version, error }: CatalogEntry): void {
    if (error) log.warn({ type, file, reason: error, version }, 'processor broken')
    else log.info({ type, file, version }, 'processor loaded')
    notify(type)
  }

  function notify(type: string): void {
    try {
      options.onChange?.(type)
    } catch (error) {
      log.error({ type, reason: messageOf(error) }, 'a change of a processor was not taken up')
    }
  }

  /** Each oddity once, as long as it lasts. */
  function tell(odd: Map<string, string>): void {
    for (const [file, reason] of odd) {
      if (told.get(file) !== reason) log.warn({ file, reason }, 'not a processor')
    }
    told.clear()
    for (const [file, reason] of odd) told.set(file, reason)
  }

  function scanSoon(ms = 20): void {
    clearTimeout(soon)
    if (!closing.signal.aborted) soon = setTimeout(() => void scan(), ms)
  }

  function bundlesInUse(): Set<string> {
    return new Set([...known.values()].map(({ entry }) => entry.bundle).filter(Boolean))
  }

  async function begin(): Promise<void> {
    watcher = watch([], { depth: 0, ignoreInitial: true })
    watcher.on('all', () => scanSoon())
    watcher.on('error', (error) => log.warn({ reason: messageOf(error) }, 'a processor folder can not be watched'))
    await scan()
    await Promise.all(loading.values())
    await pruneBundles(outDir, bundlesInUse())
    if (closing.signal.aborted) return
    timer = setInterval(() => void scan(), SCAN_MS).unref()
  }

  return {
    start: () => {
      starting ??= begin()
      return starting
    },
    get: (type) => known.get(type)?.entry,
    all: () => [...known.values()].map(({ entry }) => entry).sort((a, b) => (a.type < b.type ? -1 : 1)),
    async close() {
      closing.abort()
      clearTimeout(soon)
      clearInterval(timer)
      await watcher?.close()
      await scanning
      await Promise.all(loading.values())
    },
  }
}

function entryOf(
  type: string,
  candidates: readonly Candidate[],
  { good, error }: Loaded,
  before: CatalogEntry | undefined,
): CatalogEntry {
  return {
    type,
    file: candidates[0]?.file ?? good?.file ?? '',
    builtin: good?.builtin ?? candidates[0]?.builtin ?? false,
    version: good?.version ?? '',
    bundle: good?.bundle ?? '',
    manifest: good?.manifest,
    error,
    at: error && before?.error ? before.at : Date.now(),
  }
}

function isSame(a: CatalogEntry, b: CatalogEntry): boolean {
  return a.file === b.file && a.builtin === b.builtin && a.bundle === b.bundle && a.error === b.error
}

/** Runs at most `most` of the given at a time, the others in order. */
function limit(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
