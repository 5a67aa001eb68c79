import { fork } from 'node:child_process'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { temporaryFolder } from '../helpers/folder.js'
import type { Place } from './contract.js'

const root = join(import.meta.dirname, '../..')

/** Writes events `100 n` to `100 n + 99` as soon as the store is open, and ends. */
const PROGRAM = `
  import { openStore } from './src/store/store.js'
  import { event } from './test/store/events.js'
  process.once('message', async ({ place, n }) => {
    try {
      const store = await openStore(place)
      await store.append(Array.from({ length: 100 }, (_, i) => event(n * 100 + i)))
      await store.close()
    } catch (error) {
      console.error(error)
      process.exitCode = 1
    }
    process.disconnect()
  })
  process.send('ready')`

/** Lets so many processes open the store in the same moment and write 100 events each. Resolves with their exit codes. */
export async function writeFromProcesses(place: Place, count: number): Promise<(number | null)[]> {
  const { file, env } = bundled(PROGRAM)
  const children = Array.from({ length: count }, () => fork(file, { env }))
  await Promise.all(children.map((child) => new Promise((resolve) => child.once('message', resolve))))
  return Promise.all(
    children.map((child, n) => {
      child.send({ place, n })
      return new Promise<number | null>((resolve) => child.once('exit', resolve))
    }),
  )
}

/**
 * A program as a file to run, with the environment that it needs. CommonJS, since only that finds packages by NODE_PATH
 * from a folder elsewhere.
 */
export function bundled(program: string): { file: string; env: NodeJS.ProcessEnv } {
  const file = join(temporaryFolder('hysas-store'), 'program.cjs')
  buildSync({
    stdin: { contents: program, resolveDir: root, loader: 'ts' },
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    packages: 'external',
    supported: { 'dynamic-import': false },
    logLevel: 'error',
  })
  return { file, env: { ...process.env, NODE_PATH: join(root, 'node_modules') } }
}
