import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Bundles bench/ into bench/.build, programs included, and returns what bench/lib/main.ts exports. */
export async function compile(root) {
  const { build } = await import('esbuild')
  const outdir = join(root, 'bench/.build')
  const programs = readdirSync(join(root, 'bench/programs')).filter((name) => name.endsWith('.ts'))
  await build({
    absWorkingDir: root,
    entryPoints: {
      main: 'bench/lib/main.ts',
      ...Object.fromEntries(
        programs.map((name) => [`programs/${name.slice(0, -'.ts'.length)}`, `bench/programs/${name}`]),
      ),
    },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    sourcemap: true,
    logLevel: 'warning',
  })
  process.setSourceMapsEnabled(true)
  return import(pathToFileURL(join(outdir, 'main.mjs')).href)
}
