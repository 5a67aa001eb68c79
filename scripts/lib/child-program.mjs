import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { lateBuiltins } from './late-builtins.mjs'
import { lightIoredis } from './light-ioredis.mjs'

/** Packages that only the event store's writer needs, in the one child that runs it. */
const OUTSIDE = ['mysql2', 'libsql', 'kysely', 'bullmq', 'msgpackr']

/**
 * What runs in children, as two files: the program, as the function that src/code-cache.ts runs, its name carrying the
 * hash of its contents; and `sandbox/main.cjs`, which runs it.
 */
export async function childProgram(esbuild, common) {
  const settings = { ...common, format: 'cjs', sourcemap: false, minifySyntax: true, outExtension: { '.js': '.cjs' } }
  const built = await esbuild.build({
    ...settings,
    entryPoints: { 'sandbox/program': 'src/sandbox/program.ts' },
    plugins: [lightIoredis, lateBuiltins, { name: 'late packages', setup: latePackages }],
    external: OUTSIDE.flatMap((name) => [name, `${name}/*`]),
    define: { 'import.meta.url': '__fileUrl' },
    banner: {
      js: '(function(require,module,exports,__filename,__dirname,__import){const __fileUrl=require("node:url").pathToFileURL(__filename).href;',
    },
    footer: { js: '})' },
  })
  const contents = built.outputFiles[0].text.replace(/(?<=await )import\(/g, '__import(')
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 10)
  const program = { path: `sandbox/program-${hash}.cjs`, contents }
  const { outputFiles } = await esbuild.build({
    ...settings,
    entryPoints: { 'sandbox/main': 'src/sandbox/main.ts' },
    define: { HYSAS_PROGRAM: JSON.stringify(basename(program.path)) },
  })
  return [...outputFiles, program]
}

/** What few runs use while they start is loaded when it is called: the log. What none does is left out: `debug`. */
function latePackages(build) {
  build.onResolve({ filter: /^pino$/ }, ({ path, namespace }) =>
    namespace === 'late-package' ? undefined : { path, namespace: 'late-package' },
  )
  build.onLoad({ filter: /.*/, namespace: 'late-package' }, ({ path }) => ({
    contents: `Object.defineProperty(exports, '${path}', { enumerable: true, get: () => require('${path}').${path} })`,
    resolveDir: build.initialOptions.absWorkingDir,
  }))
  build.onResolve({ filter: /^debug$/ }, ({ path }) => ({ path, namespace: 'no-debug' }))
  build.onLoad({ filter: /.*/, namespace: 'no-debug' }, () => ({
    contents: 'const silent = () => {}; silent.enabled = false; exports.default = () => silent',
  }))
}
