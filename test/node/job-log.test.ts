import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { jobIdOf, namesOf } from '../../src/redis/names.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const CRASHES = `import { defineProcessor } from 'hysas'
export default defineProcessor({
  restart: { minDelayMs: 10, maxDelayMs: 50 },
  async produce(ctx) {
    await ctx.sleep(20)
    throw new Error('no way '.repeat(2000))
  },
})
`

it("the log of a worker's job keeps its last hundred lines, each of bounded length, however often it crashes", async () => {
  const ns = namespace()
  const names = namesOf(ns)
  const redis = connectRedis()
  const folder = join(temporaryFolder('hysas-crashes'), 'processors')
  mkdirSync(folder)
  writeFileSync(join(folder, 'Crashes.ts'), CRASHES)
  await startNode({ namespace: ns, processors: [folder] })
  const client = await clientOf(ns)
  await client.start('Crashes', 'often').catch(() => {})
  const revision = Number(await redis.hget(names.worker('often'), 'revision'))
  const logs = `${names.queuePrefix}:Crashes:${jobIdOf('often', revision)}:logs`
  await until(async () => (await redis.llen(logs)) >= 4, { what: 'it has crashed twice' })
  // as if it had crashed many times more
  await redis.lpush(logs, ...Array.from({ length: 300 }, (_, n) => `earlier ${n}`))
  const lines = await until(async () => {
    const all = await redis.lrange(logs, 0, -1)
    return all.filter((line) => / crashed on /.test(line)).length >= 5 ? all : undefined
  })
  expect(lines).toHaveLength(100)
  for (const line of lines) expect(line.length).toBeLessThan(1300)
  expect(lines.at(-1)).toMatch(/ (crashed|started) on /)
})
