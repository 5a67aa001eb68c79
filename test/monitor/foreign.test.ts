import { describe, expect, it } from 'vitest'
import { readWorkers } from '../../src/fleet/fleet.js'
import { createForeign } from '../../src/monitor/foreign.js'
import { redisNowMs } from '../../src/redis/fleet-scripts.js'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { connectRedis, startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const redis = connectRedis()

/** What the Python ancestor writes at each heartbeat: plain fields, by its own clock. */
const beat = (key: string, fields: Record<string, string | number> = {}) =>
  redis.hset(key, {
    heart_beat: (Date.now() / 1000).toFixed(2),
    nickname: 'old-1',
    pid: 4711,
    token: '0.123',
    heart_beat_interval: 1,
    status: 'started',
    data_feeder: "set(['HySAS.Worker.X'])",
    ...fields,
  })

describe('workers of the Python ancestor on the same Redis', () => {
  it('are listed as foreign, judged by their beats, not to be commanded, and left alone', async () => {
    const ns = namespace()
    await startNode({ namespace: ns })
    const client = await clientOf(ns)
    const [dotted, plain] = [`${ns}.Worker.Demo.old-1.Info`, `${ns}.Worker.Demo.old-2Info`]
    const beating = setInterval(() => void beat(dotted), 200)
    await beat(plain, { nickname: 'old-2', heart_beat: Date.now() / 1000 - 60 })
    const list = async () => (await client.list()).filter(({ foreign }) => foreign)
    await until(async () => (await list()).length === 2)
    expect(await client.show('old-1')).toMatchObject({
      type: 'Demo',
      foreign: true,
      wanted: false,
      status: 'started',
      life: 'ok',
      pid: 4711,
    })
    expect(await client.show('old-2')).toMatchObject({ foreign: true, status: 'disappeared' })

    const commands = [client.stop('old-1'), client.restart('old-1'), client.send('old-1', 'subscribe', {})]
    await Promise.all(commands.map((command) => expect(command).rejects.toMatchObject({ code: 'FOREIGN_WORKER' })))
    await expect(client.start('Demo', 'old-1')).rejects.toMatchObject({ code: 'NAME_TAKEN' })

    clearInterval(beating)
    await until(async () => (await client.show('old-1')).status === 'disappeared')
    const left = await redis.hgetall(dotted)
    expect(left).toMatchObject({ status: 'started', token: '0.123' })
    expect(Object.keys(left).length).toBe(7)
    await redis.del(dotted, plain)
    await until(async () => (await list()).length === 0)
    await expect(client.show('old-1')).rejects.toMatchObject({ code: 'UNKNOWN_WORKER' })
  })

  it('are found soon also where they come between two rounds over a hundred thousand keys', async () => {
    const big = connectRedis((await startRedis()).url)
    const names = namesOf(namespace())
    const foreign = createForeign({ redis: big, names, log: { warn: () => {} }, record: async () => {} })
    await big.eval("for i = 1, 100000 do redis.call('SET', KEYS[1] .. i, '') end", 1, 'x:')
    let seconds = 0
    for (; seconds < 60; seconds++) {
      if (seconds === 3) await big.hset(names.info('Old', 'late'), { heart_beat: 1, nickname: 'late' })
      await foreign.tick((await redisNowMs(big)) + seconds * 1000)
      if (await big.hlen(names.foreign)) break
    }
    expect(seconds).toBeLessThan(60)
  })

  it('are told from ours, and found among many keys, however wrong their clock is', async () => {
    const ns = namespace()
    const names = namesOf(ns)
    const recorded: unknown[] = []
    const foreign = createForeign({
      redis,
      names,
      log: { warn: () => {} },
      record: async (event) => void recorded.push(event),
    })
    const pipeline = redis.pipeline()
    for (let i = 0; i < 3000; i++) pipeline.set(`${ns}:x:${i}`, '')
    pipeline.hset(names.info('Demo', 'ours'), { heart_beat: 1, epoch: 5, status: 'terminated' })
    pipeline.set(`${ns}.Worker.Demo.text.Info`, 'no hash')
    pipeline.hset(`${ns}.Worker.Demo.bare.Info`, { other: 1 })
    await pipeline.exec()
    const ahead = `${ns}.Worker.Old.ahead.Info`
    for (let second = 0; second < 60; second++) {
      await beat(ahead, { nickname: 'ahead', heart_beat: Date.now() / 1000 + 3600 + second })
      await foreign.tick((await redisNowMs(redis)) + second * 1000)
    }
    const known = async () => (await readWorkers(redis, names)).map(({ nickname }) => nickname)
    expect(await known()).toEqual(['ahead'])
    expect(recorded).toEqual([])
    for (let second = 60; second < 65; second++) await foreign.tick((await redisNowMs(redis)) + second * 1000)
    expect(recorded).toMatchObject([{ kind: 'disappeared', nickname: 'ahead', source: 'foreign' }])
    for (const key of await redis.keys(`${ns}*`)) await redis.del(key)
  })
})
