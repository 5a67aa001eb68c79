import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { lateBuiltins } from './late-builtins.mjs'
import { lightIoredis } from './light-ioredis.mjs'

/** What only other commands load, when they are run: it stays outside. */
const OTHER_COMMANDS =
  /\/(node-up|up-text|foreground|run-tests|doctor|scaffold|templates|test-templates|page-link|csv)\.js$/
/** Packages that no quick command needs before it asks the event store. */
const OUTSIDE = ['kysely', 'libsql', 'mysql2', 'mysql2/*']

/**
 * The program of the commands that only ask Redis (src/cli/main.ts), with its packages in one file: to find and read
 * hundreds of small files takes longer than such a command. Its name carries the hash of its contents.
 */
export async function quick(esbuild, root, common) {
  const { outputFiles } = await esbuild.build({
    ...common,
    absWorkingDir: root,
    entryPoints: { 'cli/quick': 'src/cli/entry.ts' },
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    sourcemap: false,
    // names stay: by the name of a class errors are told apart, and a stack can be read
    minifyWhitespace: true,
    minifySyntax: true,
    external: OUTSIDE,
    supported: { 'dynamic-import': false }, // a cached script has none
    plugins: [lightIoredis, lateBuiltins, { name: 'quick', setup: leaveOut }],
    define: { 'import.meta.url': '__fileUrl' },
    // as a function, as it is run: to put one around it would copy all of it
    banner: {
      js: '(function(require,module,exports,__filename,__dirname){const __fileUrl=require("node:url").pathToFileURL(__filename).href;',
    },
    footer: { js: '})' },
  })
  const [{ contents }] = outputFiles
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 10)
  return { path: `cli/quick-${hash}.cjs`, contents }
}

/** Of a package that is loaded as a whole, the part that quick commands use. */
const PARTS = { bullmq: 'bullmq/dist/esm/classes/queue.js' }

function leaveOut(build) {
  build.onResolve({ filter: /^bullmq$/ }, ({ kind, importer, resolveDir }) =>
    build.resolve(join(build.initialOptions.absWorkingDir, 'node_modules', PARTS.bullmq), {
      kind,
      importer,
      resolveDir,
    }),
  )
  build.onResolve({ filter: OTHER_COMMANDS }, ({ kind, path }) =>
    kind === 'dynamic-import' ? { path, external: true } : undefined,
  )
  // `log.ts` has a function that needs no log
  build.onResolve({ filter: /^pino$/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
    if (pluginData === leaveOut) return undefined
    const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: leaveOut })
    return { path: found.path, sideEffects: false }
  })
}
