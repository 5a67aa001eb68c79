import { createHash, randomBytes } from 'node:crypto'
import { access, mkdir, rename, utimes, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type BuildFailure, context, type OutputFile, stop } from 'esbuild'
import { HysasError, messageOf } from '../errors.js'
import { bundling, type Trace } from './bundling.js'

const DEADLINE_MS = 10_000
/** For packages in CommonJS, whose calls of `require` for Node's own modules stay in the bundle. */
const BANNER =
  "import{createRequire as __hysasCreateRequire}from'node:module';const require=__hysasCreateRequire(import.meta.url);"

export interface CompileOptions {
  /** Absolute path of the processor file. */
  file: string
  /** Where bundles go; made if it is not there. */
  outDir: string
  /** Filled while it goes, also by a build that fails. */
  trace?: Trace
  /** This package's folder, where the bundle is to be shipped with it: then no path of this machine gets into it. */
  portable?: string
  signal?: AbortSignal
}

export interface Compiled {
  /** Absolute path of the bundle, `<outDir>/<Type>-<version>.mjs`. */
  bundle: string
  /** Hash of the bundle, 10 hex digits. */
  version: string
  /** Local files that are in it, the processor file first; packages are not listed. */
  inputs: string[]
  /** All files that are in it. */
  files: string[]
}

/**
 * Bundles a processor file and its packages to one ES module, with a source map beside it.
 * @throws HysasError BAD_PROCESSOR with file, line and column of what is wrong
 */
export async function compileProcessor(options: CompileOptions): Promise<Compiled> {
  const { file, outDir, trace = { files: new Set(), missing: new Set() } } = options
  const type = basename(file).split('.')[0] ?? 'Processor'
  trace.files.add(file)
  const { outputs, files } = await build({ ...options, trace }, join(outDir, `${type}.mjs`))
  const code = outputs.find(({ path }) => path.endsWith('.mjs'))?.text ?? ''
  const map = outputs.find(({ path }) => path.endsWith('.map'))?.text ?? '{}'
  const version = hashOf(code, map)
  const bundle = join(outDir, `${type}-${version}.mjs`)
  await mkdir(outDir, { recursive: true })
  await keep(`${bundle}.map`, map)
  await keep(bundle, `${code}//# sourceMappingURL=${basename(bundle)}.map\n`)
  return { bundle, version, inputs: [...trace.files], files }
}

/** esbuild's own process may be killed, and it does not start another by itself. */
async function build(options: CompileOptions, outfile: string): Promise<Built> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await buildOnce(options, outfile)
    } catch (error) {
      if (attempt === 3 || !/The service (is no longer running|was stopped)/.test(messageOf(error))) throw error
      await stop()
    }
  }
}

interface Built {
  outputs: OutputFile[]
  files: string[]
}

async function buildOnce({ file, trace, portable, signal }: CompileOptions, outfile: string): Promise<Built> {
  const building = await context({
    entryPoints: [file],
    outfile,
    absWorkingDir: dirname(file),
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    charset: 'utf8',
    sourcemap: 'external',
    sourcesContent: false,
    // Without the comments that name paths the same file is the same version on every machine.
    minifyWhitespace: true,
    legalComments: 'none',
    banner: { js: BANNER },
    logLevel: 'silent',
    metafile: true,
    plugins: [bundling(trace ?? { files: new Set(), missing: new Set() }, portable)],
  })
  const cancel = () => void building.cancel().catch(() => {}) // what went wrong is told by the build itself
  const timer = setTimeout(cancel, DEADLINE_MS)
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    signal?.throwIfAborted() // cancelling what has not begun does nothing
    const { outputFiles = [], metafile } = await building.rebuild()
    const inputs = Object.keys(metafile?.inputs ?? {})
    // others are made by plugins: `hysas-binary:/path`
    const files = inputs.filter((path) => !/^[a-z-]+:/.test(path)).map((path) => resolve(dirname(file), path))
    return { outputs: outputFiles, files }
  } catch (error) {
    throw new HysasError('BAD_PROCESSOR', { file, reason: reasonOf(error, dirname(file)) }, { cause: error })
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cancel)
    await building.dispose()
  }
}

function reasonOf(error: unknown, folder: string): string {
  const first = (error as Partial<BuildFailure>).errors?.[0]
  if (!first) return messageOf(error)
  if (/canceled/i.test(first.text)) return `it was not compiled within ${DEADLINE_MS / 1000} s`
  const { location, text } = first
  return location ? `${text} (at ${join(folder, location.file)}:${location.line}:${location.column + 1})` : text
}

/** Over the code and where its lines come from, but not over names of folders, which differ between machines. */
function hashOf(code: string, map: string): string {
  const { mappings = '' } = JSON.parse(map) as { mappings?: string }
  return createHash('sha256').update(code).update('\0').update(mappings).digest('hex').slice(0, 10)
}

/** Writes in one step, since another node may read at the same time. What is there already is only marked as fresh. */
async function keep(path: string, text: string): Promise<void> {
  try {
    await access(path)
    const now = new Date()
    return await utimes(path, now, now)
  } catch {
    const draft = `${path}.${randomBytes(4).toString('hex')}.tmp`
    await writeFile(draft, text)
    await rename(draft, path)
  }
}
