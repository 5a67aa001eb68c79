import { fork } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CHILD_COMMAND } from '../../src/protocol.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { redisUrl } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const DIST = join(import.meta.dirname, '../../dist')

/** The children's program far from all else. */
function aloneProgram() {
  const folder = join(temporaryFolder('hysas-child'), 'dist')
  mkdirSync(folder)
  cpSync(join(DIST, 'sandbox'), join(folder, 'sandbox'), { recursive: true })
  const children: ReturnType<typeof fork>[] = []
  afterAll(() => children.forEach((child) => void child.kill('SIGKILL')))
  return {
    folder,
    cache: join(folder, '.code-cache'),
    /** Resolves when a child has connected; it has been given a job that nobody wants, too. */
    async child() {
      const stdio = ['ignore', 'inherit', 'inherit', 'ipc', 'ignore'] as const
      const child = fork(join(folder, 'sandbox/main.cjs'), [], { stdio: [...stdio] })
      children.push(child)
      const said: { hysas?: string }[] = []
      child.on('message', (message) => said.push(message as { hysas?: string }))
      const config = { redisUrl: redisUrl(), namespace: namespace(), node: 'n', databases: {}, logLevel: 'info' }
      child.send({ hysas: 'config', ...config })
      await until(() => said.some(({ hysas }) => hysas === 'ready'), { what: 'the child is ready' })
      child.send({ cmd: CHILD_COMMAND.start, job: { id: 'none', name: 'run', data: {} } })
      return child
    },
  }
}

describe('the program of a child', () => {
  it('is kept as it was compiled for the next child, and done without where that can not be used', async () => {
    const { child, cache } = aloneProgram()
    await child()
    const file = await until(() => readdirSync(cache).find((name) => !name.endsWith('.new')), { what: 'it is kept' })
    const kept = readFileSync(join(cache, file))
    expect(kept.length).toBeGreaterThan(100_000)
    await child()
    expect(readFileSync(join(cache, file)).equals(kept)).toBe(true)
    for (const content of [Buffer.alloc(0), Buffer.alloc(kept.length), kept.subarray(0, 5000), 'no code\nwhole\n']) {
      writeFileSync(join(cache, file), content)
      await child()
    }
  })

  it('runs from a folder that can not be written', async () => {
    const { child, cache, folder } = aloneProgram()
    writeFileSync(cache, 'no folder')
    chmodSync(folder, 0o555)
    await child()
    chmodSync(folder, 0o755)
    expect(readFileSync(cache, 'utf8')).toBe('no folder')
  })
})
