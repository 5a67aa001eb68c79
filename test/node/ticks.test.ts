import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient } from '../../src/client.js'
import { namesOf } from '../../src/redis/names.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { startNode } from '../helpers/node.js'
import { connectRedis, redisUrl } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const SOURCE = (isolation: string) => `
import { defineProcessor } from 'hysas'
import { z } from 'zod'
const counts = new Map()
export default defineProcessor({
  isolation: '${isolation}',
  heartbeatSeconds: 0.2,
  graceSeconds: 2,
  params: z.object({ waitMs: z.number().default(0), failAt: z.number().default(-1), dieAt: z.number().default(-1) }),
  every: 100,
  async tick(ctx) {
    const n = (counts.get(ctx.nickname) ?? 0) + 1
    counts.set(ctx.nickname, n)
    await ctx.publish({ n, epoch: ctx.epoch })
    if (n === ctx.params.failAt) throw new Error('a bad tick')
    if (n === ctx.params.dieAt) process.exit(3)
    await ctx.sleep(ctx.params.waitMs)
    if (ctx.signal.aborted) await ctx.publish({ n, aborted: ctx.signal.reason })
  },
})`

const closing: (() => Promise<unknown>)[] = []
afterAll(() => Promise.all(closing.map((close) => close())))

describe.each(['process', 'shared'])('%s isolation: a tick in the child of the one before', (isolation) => {
  let fleet: Awaited<ReturnType<typeof open>>
  beforeAll(async () => {
    fleet = await open()
  }, 60_000)

  async function open() {
    const ns = namespace()
    const folder = join(temporaryFolder(), 'processors')
    mkdirSync(folder)
    writeFileSync(join(folder, 'Probe.ts'), SOURCE(isolation))
    await startNode({ namespace: ns, processors: [folder] })
    const client = await createClient({ redisUrl: redisUrl(), namespace: ns })
    closing.push(() => client.close())
    const names = namesOf(ns)
    const redis = connectRedis()
    const heard: { n: number; epoch?: number; aborted?: string; nickname: string }[] = []
    const subscriber = connectRedis()
    subscriber.on('pmessage', (_pattern: string, channel: string, text: string) => {
      heard.push({ ...JSON.parse(text), nickname: names.parsePub(channel)?.nickname })
    })
    await subscriber.psubscribe(names.pubPattern('Probe'))
    const of = (nickname: string) => heard.filter((one) => one.nickname === nickname)
    const info = (nickname: string) => redis.hgetall(names.info('Probe', nickname))
    return { client, names, redis, of, info }
  }

  test('is counted, each one once, and its worker is stopped between two or within one', async () => {
    const { client, redis, names, of, info } = fleet
    const nicknames = Array.from({ length: 5 }, (_, i) => `w${i}`)
    await Promise.all(nicknames.map((nickname) => client.start('Probe', nickname)))
    await client.start('Probe', 'slow', { waitMs: 60_000 })
    await until(() => nicknames.every((nickname) => of(nickname).length >= 8) && of('slow').length === 1)
    await client.stop('slow')
    await until(() => of('slow').some(({ aborted }) => aborted === 'stop'))
    await Promise.all(nicknames.map((nickname) => client.stop(nickname)))
    for (const nickname of nicknames) {
      const ticks = of(nickname).filter((one) => one.epoch)
      expect(ticks.map(({ n }) => n)).toEqual(ticks.map((_, i) => i + 1))
      expect(new Set(ticks.map((one) => one.epoch)).size).toBe(1)
      await until(async () => (await info(nickname)).status === 'terminated')
      const { ticks: counted, published, errors } = await info(nickname)
      expect([counted, published, errors]).toEqual([String(ticks.length), String(of(nickname).length), '0'])
    }
    await until(async () => (await redis.llen(`${names.queuePrefix}:Probe:active`)) === 0)
    expect(await redis.zcard(`${names.queuePrefix}:Probe:delayed`)).toBe(0)
  })

  test('may fail, and the next one runs in the same child', async () => {
    const { client, of, info } = fleet
    const { epoch } = await client.start('Probe', 'stumbler', { failAt: 4 })
    await until(() => of('stumbler').length >= 8)
    expect(new Set(of('stumbler').map((one) => one.epoch))).toEqual(new Set([epoch]))
    expect(await info('stumbler')).toMatchObject({ errors: '1', status: 'started' })
    expect((await info('stumbler')).error_msg).toMatch(/a bad tick/)
  })

  test('may end its process, and the next one runs in another, with a later epoch', async () => {
    const { client, of, info } = fleet
    const { epoch } = await client.start('Probe', 'mortal', { dieAt: 4 })
    await until(() => of('mortal').some((one) => (one.epoch ?? 0) > Number(epoch)))
    expect(of('mortal').filter((one) => one.epoch === epoch)).toHaveLength(4)
    await until(async () => {
      const { epoch: present, ticks, status } = await info('mortal')
      return Number(present) > Number(epoch) && Number(ticks) >= 2 && status === 'started'
    })
    const { errors, error_msg } = await info('mortal')
    expect(Number(errors)).toBeGreaterThan(0)
    expect(error_msg).toMatch(/exit/)
    if (isolation === 'process') await until(async () => Number((await info('mortal')).errors) >= 3) // each child counts anew
  })

  test('beats while it is at work, and is skipped where the one before is', async () => {
    const { client, of, info } = fleet
    await client.start('Probe', 'long', { waitMs: 700 })
    await until(() => of('long').length >= 3)
    const seen = new Set<string>()
    await until(async () => {
      const { heart_beat = '', threads } = await info('long')
      if (threads === '{"tick":"running"}') seen.add(heart_beat)
      return seen.size >= 3
    })
    expect(Number((await info('long')).skipped)).toBeGreaterThan(0)
    await client.stop('long')
    expect((await info('long')).status).toBe('terminated')
  })

  test('ends where a later run has taken the name, and a child of its own begins anew', async () => {
    const { client, redis, names, of } = fleet
    const { epoch } = await client.start('Probe', 'robbed')
    await until(() => of('robbed').length >= 4)
    await redis.hset(names.worker('robbed'), 'token', 'another run')
    await until(() => of('robbed').some((one) => (one.epoch ?? 0) > Number(epoch)))
    const later = of('robbed').findIndex((one) => (one.epoch ?? 0) > Number(epoch))
    expect(
      of('robbed')
        .slice(later)
        .every((one) => (one.epoch ?? 0) > Number(epoch)),
    ).toBe(true)
  })
})

test('a tick that is left out while the child of the first is still being loaded is counted, too', async () => {
  const ns = namespace()
  const folder = join(temporaryFolder(), 'processors')
  mkdirSync(folder)
  const source = `import { defineProcessor } from 'hysas'
    for (const end = Date.now() + 2000; Date.now() < end; ) {}
    export default defineProcessor({ every: 100, tick() {} })`
  writeFileSync(join(folder, 'Heavy.ts'), source)
  await startNode({ namespace: ns, processors: [folder] })
  const client = await createClient({ redisUrl: redisUrl(), namespace: ns })
  closing.push(() => client.close())
  await client.start('Heavy', 'heavy')
  const redis = connectRedis()
  const info = () => redis.hgetall(namesOf(ns).info('Heavy', 'heavy'))
  await until(async () => Number((await info()).ticks) >= 3)
  expect(Number((await info()).skipped)).toBeGreaterThan(0)
})
