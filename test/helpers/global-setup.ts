import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { startBroker } from './broker.js'
import { temporaryFolder } from './folder.js'
import { leakedProcesses, MARK } from './leaks.js'
import { startRedisServer } from './redis-server.js'

/** Around the whole test run: builds dist/, brings Redis and the broker of databases, and at the end looks for leaks. */
export default async function setup(): Promise<() => Promise<void>> {
  const mark = randomBytes(8).toString('hex')
  cleanEnvironment()
  build()

  process.env.TMPDIR = temporaryFolder('hysas-run') // whatever the tests put there is removed with it
  const redis = process.env.HYSAS_TEST_REDIS_URL ? undefined : await startRedisServer()
  if (redis) process.env.HYSAS_TEST_REDIS_URL = redis.url
  const broker = await startBroker(process.env.HYSAS_TEST_MYSQL_URL)
  process.env.HYSAS_TEST_BROKER = broker.url
  process.env[MARK] = mark

  return async () => {
    await broker.stop()
    const leaked = await leakedProcesses(mark)
    await redis?.stop()
    if (leaked.length) {
      process.exitCode = 1
      throw new Error(`The tests left processes behind (now killed):\n  ${leaked.join('\n  ')}`)
    }
  }
}

/** The developer's own settings must not reach the tests. */
function cleanEnvironment(): void {
  for (const name of Object.keys(process.env)) {
    if ((name.startsWith('HYSAS_') && !name.startsWith('HYSAS_TEST_')) || name === 'REDIS_URL') delete process.env[name]
  }
}

function build(): void {
  const script = join(import.meta.dirname, '../../scripts/build.mjs')
  const { status } = spawnSync(process.execPath, [script, '--quiet'], { stdio: 'inherit' })
  if (status !== 0) console.error('Tests that start the built program will fail or run an older one.')
}
