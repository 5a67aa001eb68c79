import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { connectRedis, startRedis } from '../helpers/redis.js'

/** Ten months from now and more: no timer of Node's waits so long. */
const FAR = new Date(Date.now() + 300 * 86_400_000)
const CRON = `0 0 1 ${FAR.getUTCMonth() + 1} *`
const YEARLY = `import { defineProcessor } from 'hysas'
export default defineProcessor({ cron: '${CRON}', timezone: 'UTC', tick() {} })`

async function calls(redis: ReturnType<typeof connectRedis>): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1])
}

it('a worker that runs by the calendar is started at once, says when its first tick comes, and costs nothing till then', async () => {
  const ns = namespace()
  const server = await startRedis()
  const folder = join(temporaryFolder(), 'processors')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'Yearly.ts'), YEARLY)
  const node = await startNode({ namespace: ns, url: server.url, processors: [folder] })
  const client = await clientOf(ns, server.url)
  const redis = connectRedis(server.url)
  const perSecond = async (): Promise<number> => {
    const before = await calls(redis)
    await new Promise((resolve) => setTimeout(resolve, 2000))
    return ((await calls(redis)) - before) / 2
  }
  const idle = await perSecond()
  const due = Date.UTC(FAR.getUTCFullYear(), FAR.getUTCMonth(), 1) / 1000
  const first = due > Date.now() / 1000 ? due : Date.UTC(FAR.getUTCFullYear() + 1, FAR.getUTCMonth(), 1) / 1000
  expect(await client.start('Yearly', 'audit')).toMatchObject({ result: 'started', next_tick: first, pid: null })
  expect(await client.restart('audit')).toMatchObject({ result: 'restarted', next_tick: first })
  expect(await client.show('audit')).toMatchObject({ status: 'queued', wanted: true, next_tick: first })
  expect(await perSecond()).toBeLessThan(idle + 500)
  expect(node.output()).not.toMatch(/TimeoutOverflowWarning/)
  expect(await client.stop('audit')).toMatchObject({ result: 'stopped' })
  expect((await client.show('audit')).wanted).toBe(false)
})
