import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { childProgram } from './child-program.mjs'
import { lightIoredis } from './light-ioredis.mjs'
import { quick } from './quick.mjs'

/** What a user's program or the node itself loads. One set, so that all share one copy of the common parts. */
const ENTRIES = {
  entry: 'src/cli/entry.ts',
  index: 'src/index.ts',
  client: 'src/client.ts',
  testing: 'src/testing.ts',
  monitor: 'src/monitor/watch.ts',
  prebuild: 'src/node/prebuild.ts',
}
/** What else runs in children: each one file, because every module that a child imports costs it start-up time. */
const CHILDREN = {
  'sandbox/probe': 'src/sandbox/probe.ts',
  'sandbox/watchdog': 'src/sandbox/watchdog.ts',
}
const CHILD_EXTERNALS = ['mysql2', 'libsql', 'kysely', 'bullmq', 'msgpackr']
const PAGE = 'src/web/page'

/**
 * All files of dist/ as {path (below dist), contents (Buffer), executable}, and the errors of the sets that did not
 * build (esbuild has printed them). An entry whose source is missing is left out and named by `say`.
 */
export async function bundles(esbuild, root, say) {
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    write: false,
    outdir: 'dist',
    logLevel: 'warning',
  }
  const [quickly] = await Promise.allSettled([quick(esbuild, root, common)])
  const settled = await Promise.allSettled([
    esbuild.build({
      ...common,
      entryPoints: present(root, ENTRIES, say),
      format: 'esm',
      splitting: true,
      packages: 'external',
      chunkNames: 'chunks/[name]-[hash]',
    }),
    program(esbuild, root, common, quickly.value),
    esbuild.build({
      ...common,
      entryPoints: present(root, CHILDREN, say),
      outExtension: { '.js': '.cjs' },
      format: 'cjs',
      minifySyntax: true,
      plugins: [lightIoredis],
      external: CHILD_EXTERNALS.flatMap((name) => [name, `${name}/*`]),
      define: { 'import.meta.url': '__fileUrl' },
      banner: { js: 'const __fileUrl=require("node:url").pathToFileURL(__filename).href;' },
    }),
    childProgram(esbuild, common),
    page(esbuild, root, common, say),
  ])
  settled.push(quickly)
  return {
    files: settled.flatMap((result) => result.value?.outputFiles ?? result.value ?? []).map(outputOf(root)),
    errors: settled.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])),
  }
}

/** What `hysas` runs: a CommonJS file in a folder that says so, since its name, which everybody knows, ends in `.js`. */
async function program(esbuild, root, common, quickly) {
  const { outputFiles } = await esbuild.build({
    ...common,
    entryPoints: present(root, { 'cli/main': 'src/cli/main.ts' }, () => {}),
    format: 'cjs',
    define: {
      HYSAS_QUICK: JSON.stringify(quickly ? basename(quickly.path) : ''),
      HYSAS_ENTRY: JSON.stringify('../entry.js'),
    },
    external: ['../entry.js'],
  })
  return [...outputFiles, { path: 'cli/package.json', contents: '{ "type": "commonjs" }\n' }]
}

function outputOf(root) {
  const dist = join(root, 'dist')
  return ({ path, contents }) =>
    executable({ path: path.startsWith(dist) ? path.slice(dist.length + 1) : path, contents: Buffer.from(contents) })
}

function present(root, entries, say) {
  return Object.fromEntries(
    Object.entries(entries).filter(([, source]) => {
      const there = existsSync(join(root, source))
      if (!there) say(`Left out, not there yet: ${source}`)
      return there
    }),
  )
}

/** The page of the browser: one script, its styles, and the other files of the folder as they are. */
async function page(esbuild, root, common, say) {
  const folder = join(root, PAGE)
  const source = ['main.tsx', 'main.ts'].map((name) => join(folder, name)).find(existsSync)
  if (!source) {
    say(`Left out, not there yet: ${PAGE}/main.tsx`)
    return []
  }
  const { outputFiles } = await esbuild.build({
    ...common,
    entryPoints: { main: source },
    outdir: 'dist/page',
    platform: 'browser',
    target: 'es2022',
    format: 'esm',
    minify: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.svg': 'dataurl', '.png': 'dataurl', '.woff2': 'dataurl' },
  })
  const built = outputFiles.map(outputOf(root))
  const taken = new Set(built.map(({ path }) => path))
  const copied = readdirSync(folder)
    .filter((name) => ['.html', '.css', '.svg', '.ico', '.png', '.webmanifest'].includes(extname(name)))
    .map((name) => ({ path: `page/${name}`, contents: readFileSync(join(folder, name)) }))
    .filter(({ path }) => !taken.has(path))
  return [...built, ...copied]
}

/** The program starts by its first line; esbuild keeps one that the source has. */
function executable(file) {
  if (file.path !== 'cli/main.js') return file
  const hasLine = file.contents.subarray(0, 2).toString() === '#!'
  const contents = hasLine ? file.contents : Buffer.concat([Buffer.from('#!/usr/bin/env node\n'), file.contents])
  return { ...file, contents, executable: true }
}
