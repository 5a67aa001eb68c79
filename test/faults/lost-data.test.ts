import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { namesOf } from '../../src/redis/names.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { connectRedis, startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { measured } from './table.js'

const COUNTS = `import { defineProcessor } from 'hysas'
export default defineProcessor({ async produce(ctx) { for (let n = 0; !ctx.signal.aborted; n++) { await ctx.publish({ epoch: ctx.epoch, n }); await ctx.sleep(50) } } })`

describe('row 35: a Redis that comes back empty', () => {
  it('costs no wanted worker: what runs goes on, the fleet is put back, epochs rise, an alarm is recorded', async () => {
    const ns = namespace()
    const names = namesOf(ns)
    const server = await startRedis()
    const redis = connectRedis(server.url)
    const folder = join(temporaryFolder('hysas-lost'), 'processors')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'Counts.ts'), COUNTS)
    for (const name of ['a', 'b']) await startNode({ namespace: ns, name, url: server.url, processors: [folder] })
    const client = await clientOf(ns, server.url)
    const nicknames = ['w0', 'w1', 'w2', 'w3']
    for (const nickname of nicknames) await client.start('Counts', nickname, {}, { timeoutMs: 20_000 })
    const before = new Map((await client.list()).map((worker) => [worker.nickname, worker]))
    const heard: { channel: string; epoch: number; n: number }[] = []
    const subscriber = connectRedis(server.url)
    subscriber.on('pmessage', (_pattern: string, channel: string, raw: string) =>
      heard.push({ channel, ...JSON.parse(raw) }),
    )
    await subscriber.psubscribe(names.pubPattern('Counts'))

    const alarms: string[] = []
    const events = connectRedis(server.url)
    events.on('message', (_channel: string, raw: string) => raw.includes('data_lost') && alarms.push(raw))
    await events.subscribe(names.eventsChannel)

    await redis.flushall()
    const begun = performance.now()
    await until(
      async () => {
        const workers = (await client.list()).filter(
          ({ type, status, wanted }) => type === 'Counts' && status === 'started' && wanted,
        )
        return workers.length === nicknames.length
      },
      { timeoutMs: 20_000, what: 'all workers back' },
    )
    const seconds = (performance.now() - begun) / 1000
    measured(35, 'Redis comes back empty', 'all wanted workers ≤ 15 s', `${seconds.toFixed(1)} s`, seconds <= 15)

    // an orphan that found no new job would be ended by then
    await new Promise((resolve) => setTimeout(resolve, process.env.HYSAS_TEST_FAULTS === 'full' ? 14_000 : 1500))
    const after = (await client.list()).filter(({ type }) => type === 'Counts')
    for (const worker of after)
      expect(worker.epoch).toBeGreaterThanOrEqual(before.get(worker.nickname)?.epoch ?? Number.POSITIVE_INFINITY)
    // no message of an older run after one of a later
    for (const nickname of nicknames) {
      const epochs = heard.filter(({ channel }) => channel === names.pub('Counts', nickname)).map(({ epoch }) => epoch)
      expect(epochs).toEqual([...epochs].sort((x, y) => x - y))
    }
    const pidsKept = after.filter((worker) => worker.pid === before.get(worker.nickname)?.pid).length
    expect(pidsKept).toBe(nicknames.length)
    await until(() => alarms.length, { what: 'the alarm' })
    expect(await client.stop('w0')).toMatchObject({ result: 'stopped' })
    expect(await client.start('Counts', 'w0')).toMatchObject({ result: 'started' })
  }, 90_000)
})

describe('a Redis that comes back with older data', () => {
  it('costs no worker that was started since: it runs on under its name, and an alarm is recorded', async () => {
    const ns = namespace()
    const names = namesOf(ns)
    const server = await startRedis()
    const redis = connectRedis(server.url)
    const folder = join(temporaryFolder('hysas-older'), 'processors')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'Counts.ts'), COUNTS)
    for (const name of ['a', 'b']) await startNode({ namespace: ns, name, url: server.url, processors: [folder] })
    const client = await clientOf(ns, server.url)
    await client.start('Counts', 'old-1', {}, { timeoutMs: 20_000 })
    await redis.save()
    const since = ['new-1', 'new-2', 'new-3', 'new-4']
    for (const nickname of since) await client.start('Counts', nickname, {}, { timeoutMs: 20_000 })
    const counts = async () => (await client.list()).filter(({ type }) => type === 'Counts')
    const runs = async () =>
      (await counts()).map(({ nickname, epoch, pid, status }) => ({ nickname, epoch, pid, status }))
    const before = await until(async () => {
      const all = await runs()
      return all.every(({ status }) => status === 'started') && all.length === 5 ? all : undefined
    })
    expect(new Set((await counts()).map(({ node }) => node)).size).toBe(2)

    await server.kill()
    await server.restart()
    const alarms: string[] = []
    const events = connectRedis(server.url)
    events.on('message', (_channel: string, raw: string) => raw.includes('data_lost') && alarms.push(raw))
    await events.subscribe(names.eventsChannel)
    await until(async () => (await counts()).length === 5, { timeoutMs: 20_000, what: 'all known again' })
    // what found no new job would be ended by then
    await new Promise((resolve) => setTimeout(resolve, 13_000))
    expect(await runs()).toEqual(before)
    await until(() => alarms.length, { what: 'the alarm' })
    expect(alarms.join()).toMatch(/came back with older data/)
    await expect(client.start('Counts', 'new-1')).rejects.toMatchObject({ code: 'NAME_TAKEN' })
    for (const nickname of since) expect(await client.stop(nickname)).toMatchObject({ result: 'stopped' })
  }, 90_000)
})
