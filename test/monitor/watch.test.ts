import { afterEach, describe, expect, test } from 'vitest'
import { recordEvent } from '../../src/fleet/outbox.js'
import { createWatch, type Watch } from '../../src/monitor/watch.js'
import { redisNowMs } from '../../src/redis/fleet-scripts.js'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis, startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { runWorker, unwant, want } from './fleet.js'

const watches: Watch[] = []
afterEach(async () => {
  await Promise.all(watches.splice(0).map((watch) => watch.close()))
})

const DAY = 86_400_000

async function setUp(redis = connectRedis()) {
  const names = namesOf(namespace())
  const warnings: string[] = []
  const watch = createWatch({
    redis,
    names,
    log: { warn: (_fields, message) => void warnings.push(message) },
    record: (event) => recordEvent(redis, names, event),
  })
  watches.push(watch)
  const heard: { channel: string; message: Record<string, unknown> }[] = []
  const subscriber = redis.duplicate()
  subscriber.on('error', () => {})
  watches.push({ close: async () => subscriber.disconnect() } as Watch)
  subscriber.on('message', (channel, message) => heard.push({ channel, message: JSON.parse(message) }))
  await subscriber.subscribe(names.wake, names.eventsChannel)
  const start = (nickname: string, options = {}) => runWorker(redis, names, 'Demo', nickname, options)
  const info = (nickname: string) => redis.hgetall(names.info('Demo', nickname))
  const events = async () =>
    (await redis.xrange(names.outbox, '-', '+')).map(([, fields]) => JSON.parse(fields[1] ?? '') as object)
  return { redis, names, watch, warnings, heard, start, info, events }
}

describe('a worker whose heartbeat is overdue', () => {
  test('has disappeared: Info says so, it is warned of, recorded and told, once', async () => {
    const { watch, start, info, events, warnings, heard, names } = await setUp()
    const silent = await start('silent')
    await silent.beat({}, -1)
    await (await start('alive')).beat({}, 60_000)

    const report = await watch.tick()
    expect(report.alive).toBe(1)
    expect(report.disappeared).toMatchObject([{ type: 'Demo', nickname: 'silent', epoch: silent.epoch, node: 'one' }])
    const message = expect.stringMatching(/^no heartbeat for \d+\.\d s$/)
    expect(await info('silent')).toMatchObject({ status: 'disappeared', error_msg: message, stop_info: message })
    expect((await info('alive')).status).toBe('started')
    const event = {
      ...{ kind: 'disappeared', severity: 'error', type: 'Demo', nickname: 'silent', node: 'one' },
      ...{ epoch: silent.epoch, source: '', message, key: '' },
    }
    expect(await events()).toEqual([{ ...event, time: expect.any(Number), data: expect.any(Object) }])
    expect(warnings).toHaveLength(1)
    await until(() => heard.some(({ channel }) => channel === names.eventsChannel))
    expect(heard.find(({ channel }) => channel === names.eventsChannel)?.message).toMatchObject({
      ...event,
      id: expect.stringMatching(/^\d+-\d+$/),
    })

    expect((await watch.tick()).disappeared).toEqual([])
    expect(await events()).toHaveLength(1)
  })

  test('that beats again is alive again, and can disappear again', async () => {
    const { watch, start, info, events } = await setUp()
    const worker = await start('one')
    await worker.beat({}, -1)
    await watch.tick()
    await worker.beat({}, 60_000)
    expect(await watch.tick()).toMatchObject({ alive: 1, disappeared: [] })
    expect((await info('one')).status).toBe('started')
    await worker.beat({}, -1)
    expect((await watch.tick()).disappeared).toHaveLength(1)
    expect(await events()).toHaveLength(2)
  })

  test('and that its node still holds is to be ended: nodes are told, again and again', async () => {
    const { watch, start, heard, redis, names } = await setUp()
    const wedged = await start('wedged')
    await wedged.beat({}, -1)
    await watch.tick()
    for (let times = 1; times <= 2; times++) {
      expect((await watch.tick()).wedged).toEqual([])
      await redis.zadd(names.beats, 1, 'Demo.wedged') // the time has passed
      expect((await watch.tick()).wedged).toEqual([{ type: 'Demo', nickname: 'wedged' }])
      const told = { what: 'wedged', type: 'Demo', nickname: 'wedged', epoch: wedged.epoch }
      const all = () => heard.filter(({ message }) => message.what === 'wedged').map(({ message }) => message)
      await until(() => all().length === times)
      expect(all().at(-1)).toEqual(told)
    }
  })

  test('and whose node is dead is not looked at any more, until it is claimed anew', async () => {
    const { watch, start, redis, names, info } = await setUp()
    const orphan = await start('orphan')
    await orphan.beat({}, -1)
    await watch.tick()
    await redis.del(orphan.lock)
    await redis.zadd(names.beats, 1, 'Demo.orphan')
    expect((await watch.tick()).wedged).toEqual([])
    expect(await redis.zscore(names.beats, 'Demo.orphan')).toBeNull()
    expect(await redis.zscore(names.ended, 'Demo.orphan')).not.toBeNull()
    expect((await info('orphan')).status).toBe('disappeared')
  })
})

test('a heartbeat that came after the end does not make a worker disappear', async () => {
  const { watch, start, redis, names, info, events } = await setUp()
  const worker = await start('one')
  await worker.beat({}, -1)
  await redis.hset(names.worker('one'), 'running', '0')
  expect(await watch.tick()).toMatchObject({ alive: 0, disappeared: [] })
  expect(await info('one')).toMatchObject({ status: 'restarting' })
  expect(await redis.zcard(names.beats)).toBe(0)
  expect(await events()).toEqual([])
})

test('a repeatable worker has disappeared when its next tick is overdue, though it does not run', async () => {
  const { watch, start, redis, names } = await setUp()
  const worker = await start('ticks', { kind: 'repeatable', mode: 'tick' })
  await worker.beat({}, -1)
  await redis.hset(names.worker('ticks'), 'running', '0')
  const { disappeared } = await watch.tick()
  expect(disappeared).toMatchObject([{ nickname: 'ticks', message: expect.stringMatching(/^no tick/) }])
})

test('many that are silent at once are all found', async () => {
  const { watch, start, events } = await setUp()
  const workers = await Promise.all(Array.from({ length: 150 }, (_, i) => start(`w${i}`)))
  await Promise.all(workers.map((worker) => worker.beat({}, -1)))
  expect((await watch.tick()).disappeared).toHaveLength(150)
  expect(await events()).toHaveLength(150)
})

test('nobody has disappeared because Redis stood still', async () => {
  const server = await startRedis()
  const { watch, start, redis } = await setUp(connectRedis(server.url))
  const worker = await start('one')
  await worker.beat()
  await watch.tick()
  await redis.call('DEBUG', 'SLEEP', '3')
  expect(await watch.tick()).toMatchObject({ late: 1, disappeared: [] })
  await worker.beat({}, 60_000)
  expect(await watch.tick()).toMatchObject({ alive: 1, late: 0, disappeared: [] })
})

test('followers are who hears a worker', async () => {
  const { watch, start, names, info } = await setUp()
  await (await start('source')).beat({ data_feeder: [] })
  await (await start('hears')).beat({ data_feeder: [names.pub('Demo', 'source'), names.pubPattern('*', 'hears')] })
  await watch.tick()
  expect(JSON.parse((await info('source')).follower ?? '')).toEqual(['hears'])
  expect(JSON.parse((await info('hears')).follower ?? '')).toEqual(['hears'])
})

describe('what ended a day ago is forgotten', () => {
  async function ended(agoMs: number) {
    const of = await setUp()
    const { redis, names, start } = of
    await start('old')
    await redis.hset(names.worker('old'), 'running', '0')
    await redis.zrem(names.beats, 'Demo.old')
    await redis.zadd(names.ended, (await redisNowMs(redis)) - agoMs, 'Demo.old')
    await redis.xadd(names.log('old'), '*', 'l', '{}')
    await redis.hset(names.published, names.pub('Demo', 'old'), 5)
    const keys = [names.worker('old'), names.info('Demo', 'old'), names.log('old')]
    return { ...of, left: () => redis.exists(...keys) }
  }

  test('with its log, its name and what it published', async () => {
    const { watch, redis, names, left } = await ended(DAY + 1000)
    await unwant(redis, names, 'old')
    expect((await watch.tick()).removed).toBe(1)
    expect(await left()).toBe(0)
    expect(await redis.sismember(names.workers, 'old')).toBe(0)
    expect(await redis.zcard(names.ended)).toBe(0)
    expect(await redis.hlen(names.published)).toBe(0)
  })

  test('but not sooner', async () => {
    const { watch, redis, names, left } = await ended(DAY - 10_000)
    await unwant(redis, names, 'old')
    expect((await watch.tick()).removed).toBe(0)
    expect(await left()).toBe(3)
  })

  test('but not where it is wanted', async () => {
    const { watch, left } = await ended(DAY + 1000)
    expect((await watch.tick()).removed).toBe(0)
    expect(await left()).toBe(3)
  })

  test('but only its Info where the name is of another type by now', async () => {
    const { watch, redis, names } = await ended(DAY + 1000)
    await unwant(redis, names, 'old')
    await want(redis, names, 'Other', 'old')
    expect((await watch.tick()).removed).toBe(1)
    expect(await redis.exists(names.info('Demo', 'old'))).toBe(0)
    expect(await redis.hget(names.worker('old'), 'type')).toBe('Other')
  })

  test('also where it never had a run', async () => {
    const { watch, redis, names } = await setUp()
    await want(redis, names, 'Demo', 'never')
    await unwant(redis, names, 'never')
    await redis.hset(names.worker('never'), 'since', ((await redisNowMs(redis)) - DAY - 1000) / 1000)
    await watch.tick()
    await watch.tick()
    expect(await redis.exists(names.worker('never'))).toBe(0)
    expect(await redis.smembers(names.workers)).toEqual([])
  })
})

test('a job that was missing is there after a tick', async () => {
  const { watch, redis, names, warnings } = await setUp()
  await want(redis, names, 'Demo', 'lost')
  await redis.hset(names.worker('lost'), 'since', '1')
  const repaired = await until(async () => {
    const report = await watch.tick()
    return report.repaired.length ? report.repaired : undefined
  })
  expect(repaired).toMatchObject([{ what: 'job-added', nickname: 'lost' }])
  expect(warnings).toHaveLength(1)
})
