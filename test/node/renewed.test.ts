import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { namesOf } from '../../src/redis/names.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

/** Its first run is done at once, but takes as long to end as it is let; `fail` makes it crash at that. */
const SOURCE = `import { defineProcessor } from 'hysas'
let count = 0
export default defineProcessor({
  graceSeconds: 20,
  async start(ctx) { count = await ctx.redis.incr('runs:' + ctx.params.id) },
  async produce(ctx) { while (count > 1 && !ctx.signal.aborted) await ctx.sleep(1000) },
  async beforeTermination(ctx) {
    if (count > 1) return
    await ctx.redis.set('ending:' + ctx.params.id, '1')
    await ctx.redis.blpop('go:' + ctx.params.id, 15)
    if (ctx.params.fail) process.exit(4)
  },
})`

test.each([false, true])(
  'a restart, or a stop and a start, that comes while the run before ends by itself has its run (crash: %s)',
  async (fail) => {
    const ns = namespace()
    const names = namesOf(ns)
    const redis = connectRedis()
    const folder = join(temporaryFolder('hysas-renewed'), 'processors')
    mkdirSync(folder)
    writeFileSync(join(folder, 'Ending.ts'), SOURCE)
    await startNode({ namespace: ns, processors: [folder] })
    const client = await clientOf(ns)
    for (const anew of [false, true]) {
      const [id, nickname] = [randomUUID(), `w-${anew}`]
      const first = await client.start('Ending', nickname, { id, fail })
      await until(() => redis.get(`ending:${id}`))
      const before = await redis.hget(names.worker(nickname), 'revision')
      if (anew) void client.stop(nickname).catch(() => {})
      if (anew) await until(async () => (await redis.hget(names.worker(nickname), 'wanted')) === '0')
      const next = anew ? client.start('Ending', nickname, { id, fail }) : client.restart(nickname)
      await until(async () => {
        const [revision, wanted] = await redis.hmget(names.worker(nickname), 'revision', 'wanted')
        return revision !== before && wanted === '1'
      })
      await redis.rpush(`go:${id}`, '1')
      expect(Number((await next).epoch)).toBeGreaterThan(Number(first.epoch))
      expect(await client.show(nickname)).toMatchObject({ status: 'started', restarts: 0 })
      expect(await redis.get(`runs:${id}`)).toBe('2')
      await client.stop(nickname)
    }
  },
)
