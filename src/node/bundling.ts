import { readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { basename, dirname, extname, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type ImportKind, type Loader, type OnLoadResult, type OnResolveResult, type Plugin, transform } from 'esbuild'
import { isNative } from './native.js'
import { ownEntry, ownPackage } from './package-root.js'

/** What a build has touched, also one that failed: when any of it changes, the build is worth another try. */
export interface Trace {
  /** Local files (not those of packages). */
  files: Set<string>
  /** Folders in which an imported local file was not found. */
  missing: Set<string>
}

const SCRIPTS: Record<string, Loader> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.jsx': 'jsx',
}
const KNOWS_ITS_PLACE = /\bimport\.meta\b|\b__(?:dirname|filename)\b/
/** Marks a resolution that we ask for ourselves, so that it is not asked again. */
const ASKED = Symbol('asked')

/**
 * How a processor file becomes one bundle that works far from where the file lies:
 * `hysas` is this package; packages of ours stand in for what the user's folder lacks; native packages stay outside, by
 * absolute path; `import.meta.url`, `__dirname` and the like keep the value that they have in the source.
 * @param portable this package's folder, for what is shipped with it: native packages stay outside by their names, and
 *   places are told as seen from that folder
 */
export function bundling(trace: Trace, portable = ''): Plugin {
  return {
    name: 'hysas',
    setup(build) {
      const ask = (path: string, kind: ImportKind, importer: string, resolveDir: string) =>
        build.resolve(path, { kind, importer, resolveDir, pluginData: ASKED })

      build.onResolve({ filter: /^hysas(\/|$)/ }, ({ path }) => {
        const file = ownEntry(path)
        return file ? { path: file } : { errors: [{ text: `The package hysas has no "${path}"` }] }
      })

      build.onResolve({ filter: /^\.\.?(\/|$)/ }, async (args) => {
        if (args.pluginData === ASKED || args.kind === 'entry-point' || isInstalled(args.importer)) return undefined
        const found = await ask(args.path, args.kind, args.importer, args.resolveDir)
        if (found.errors.length) {
          trace.missing.add(dirname(resolve(args.resolveDir, args.path)))
          return undefined
        }
        return found.path.endsWith('.node') ? binary(found.path, args.kind) : accept(found)
      })

      build.onResolve({ filter: /\.node$/ }, async (args) => {
        if (args.pluginData === ASKED) return undefined
        const found = await ask(args.path, args.kind, args.importer, args.resolveDir)
        return found.errors.length ? undefined : binary(found.path, args.kind)
      })

      build.onResolve({ filter: /^[^./]/ }, async (args) => {
        if (args.pluginData === ASKED || args.kind === 'entry-point' || isBuiltin(args.path)) return undefined
        let found = await ask(args.path, args.kind, args.importer, args.resolveDir)
        if (found.errors.length && ownPackage().dependencies.has(packageName(args.path))) {
          found = await ask(args.path, args.kind, args.importer, ownPackage().root)
        }
        if (found.errors.length) return undefined
        if (!isNative(found.path)) return accept(found)
        return portable ? { path: args.path, external: true } : outside(found.path, args.kind)
      })

      build.onLoad({ filter: /.*/, namespace: 'hysas-binary' }, ({ path }) => ({
        contents: `module.exports = require(${JSON.stringify(path)})`,
        resolveDir: dirname(path),
      }))

      build.onLoad({ filter: /.*/, namespace: 'file' }, async ({ path }) => {
        if (!isInstalled(path) && !isOwn(path)) trace.files.add(path)
        return inPlace(path, path.startsWith(portable) ? path.slice(portable.length) : path)
      })
    },
  }
}

function isInstalled(path: string): boolean {
  return path.includes(`${sep}node_modules${sep}`)
}

/** Part of this package's own program. (Its built-in processors are processor files like any other.) */
function isOwn(path: string): boolean {
  const { root } = ownPackage()
  return path.startsWith(`${root}${sep}dist${sep}`) || path.startsWith(`${root}${sep}src${sep}`)
}

function accept(found: OnResolveResult & { path: string }): OnResolveResult {
  const { path, external, namespace, suffix, sideEffects } = found
  return {
    path,
    ...(external === undefined ? {} : { external }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(suffix === undefined ? {} : { suffix }),
    ...(sideEffects === undefined ? {} : { sideEffects }),
  }
}

/** `import` can't load a binary, so it gets a module that requires it. */
function binary(path: string, kind: ImportKind): OnResolveResult {
  return isRequire(kind) ? { path, external: true } : { path, namespace: 'hysas-binary' }
}

function outside(path: string, kind: ImportKind): OnResolveResult {
  return { path: isRequire(kind) ? path : pathToFileURL(path).href, external: true }
}

function isRequire(kind: ImportKind): boolean {
  return kind === 'require-call' || kind === 'require-resolve'
}

function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** Fills in where the file lies, in a file that asks for it. */
async function inPlace(path: string, place: string): Promise<OnLoadResult | undefined> {
  const loader = SCRIPTS[extname(path)]
  if (loader === undefined) return undefined
  const source = await readFile(path, 'utf8')
  if (!KNOWS_ITS_PLACE.test(source)) return undefined
  const [url, file, folder] = [pathToFileURL(place).href, place, dirname(place)].map((text) => JSON.stringify(text))
  const define = {
    'import.meta.url': url,
    'import.meta.filename': file,
    'import.meta.dirname': folder,
    __filename: file,
    __dirname: folder,
  } as Record<string, string>
  try {
    const { code } = await transform(source, {
      loader,
      define,
      target: 'node20',
      sourcefile: basename(path),
      sourcemap: 'inline',
      sourcesContent: false,
      logLevel: 'silent',
    })
    return { contents: code, loader: loader.endsWith('x') ? 'jsx' : 'js' }
  } catch {
    return undefined // the build reads the file itself, and reports what is wrong with it
  }
}
