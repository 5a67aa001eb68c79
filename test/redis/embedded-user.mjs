// A process that uses the embedded Redis of a folder: `node embedded-user.mjs <dataDir>`.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const { outputFiles } = await build({
  entryPoints: [join(import.meta.dirname, '../../src/redis/embedded.ts')],
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  write: false,
})
const { writeFileSync, rmSync } = await import('node:fs')
const file = join(import.meta.dirname, '../../node_modules', `.embedded-user-${process.pid}.mjs`)
writeFileSync(file, outputFiles[0].text)
const { startEmbedded } = await import(pathToFileURL(file).href).finally(() => rmSync(file))

const embedded = await startEmbedded({ dataDir: process.argv[2] })
console.log(JSON.stringify({ url: embedded.url, started: embedded.started }))
process.stdin.once('data', async () => {
  await embedded.release()
  process.exit(0)
})
