import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { run } from '../helpers/process.js'
import { startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { childrenOf, lives, processors } from './fixture.js'
import { pause, startSaying } from './redis-fixture.js'
import { atLeisure, measuredMs } from './table.js'

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js')

/** `hysas up` to its end. */
async function up(redisUrl: string): Promise<{ code: number | null; ms: number; output: string }> {
  const folder = temporaryFolder('hysas-boot')
  const at = performance.now()
  const node = run(process.execPath, [MAIN, 'up', '--no-web'], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, HYSAS_REDIS_URL: redisUrl, HYSAS_NAMESPACE: namespace() },
  })
  const { code } = await node.exited
  return { code, ms: performance.now() - at, output: node.output() }
}

it('row 20: a wrong password at boot is one clear error, without the password, and exit 1', async () => {
  const server = await startRedis({ password: 'right' })
  for (const [fault, url] of [
    ['wrong Redis password at boot', server.url.replace('right', 'no-such-word')],
    ['no Redis password at boot', server.url.replace(':right@', '')],
  ] as const) {
    const { code, ms, output } = await up(url)
    measuredMs(20, fault, 5000, ms)
    expect(code).toBe(1)
    expect(output.match(/REDIS_AUTH/g)).toHaveLength(1)
    expect(output).toMatch(/refuses the user or password/)
    expect(output).toMatch(/HYSAS_REDIS_URL/)
    expect(output).not.toMatch(/no-such-word|Error:|\n +at |"level"/)
    expect(ms).toBeLessThan(atLeisure(5000))
  }
})

it('row 22: a policy that may throw data away is refused at boot, with the remedy, whether a limit is set or not', async () => {
  for (const args of [
    ['--maxmemory-policy', 'allkeys-lru'],
    ['--maxmemory-policy', 'volatile-ttl', '--maxmemory', '100mb'],
  ]) {
    const server = await startRedis({ args })
    const { code, ms, output } = await up(server.url)
    measuredMs(22, `Redis with ${args[1]} at boot: exit ${code}`, 5000, ms)
    expect(code).toBe(1)
    expect(output.match(/REDIS_EVICTS/g)).toHaveLength(1)
    expect(output).toContain(args[1])
    expect(output).toContain('maxmemory-policy noeviction')
  }
})

it('row 13: a node can be ended while Redis is away; nothing of it is left', async () => {
  const ns = namespace()
  const server = await startRedis()
  const node = await startNode({ namespace: ns, url: server.url, processors: [processors('Says')] })
  await startSaying(await clientOf(ns, server.url), ['e0', 'e1'])
  const children = childrenOf(node.pid)
  expect(children.length).toBeGreaterThanOrEqual(3)
  await server.kill()
  await pause(500)
  const at = performance.now()
  process.kill(node.pid, 'SIGTERM')
  const { code } = await node.exited
  const ms = performance.now() - at
  // Monitor has the longest grace, and can't write its end
  measuredMs(13, 'SIGTERM to a node while Redis is away: it ends after the grace of 10 s and', 5000, ms - 10_000)
  expect(code).toBe(0)
  await until(() => !children.some(lives), { timeoutMs: 1000, what: 'its children are gone, too' })
  expect(ms).toBeLessThan(10_000 + atLeisure(5000))
}, 60_000)
