import { expect, test } from 'vitest'
import { namesOf } from '../../src/redis/names.js'
import { publishFenced, type Stretch } from '../../src/redis/publish-scripts.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const names = namesOf(namespace())
const redis = connectRedis()
const subscriber = connectRedis()

const stretch = (channel: string, ...payloads: (string | Buffer)[]): Stretch => ({
  channel: `${names.namespace}-${channel}`,
  count: payloads.length,
  payloads,
  asLines: payloads.every((payload) => typeof payload === 'string' && !payload.includes('\n')),
})

async function worker(nickname: string, token = 'token-1') {
  await redis.hset(names.worker(nickname), 'token', token)
  return (n: number, oldest: number, stretches: Stretch[], series = 'series-1') =>
    publishFenced(redis, names, { type: 'Probe', nickname, token }, { series, n, oldest, stretches })
}

test('one call publishes the stretches of several channels in their order, and counts messages, not payloads', async () => {
  const heard: string[] = []
  subscriber.on('message', (channel: string, text: string) => heard.push(`${channel.split('-').at(-1)} ${text}`))
  await subscriber.subscribe(`${names.namespace}-a`, `${names.namespace}-b`)
  const publish = await worker('mixed')
  const frame = { ...stretch('b', 'many'), count: 7 }
  const stretches = [
    stretch('a', '1', '', '3'),
    stretch('b', Buffer.from('bytes'), 'two\nlines'),
    frame,
    stretch('a', ''),
  ]
  expect(await publish(1, 1, [...stretches, stretch('nobody', 'x')])).toEqual({ published: [1, 1, 1, 1, 0] })
  await until(() => heard.length === 7)
  expect(heard).toEqual(['a 1', 'a ', 'a 3', 'b bytes', 'b two\nlines', 'b many', 'a '])
  expect(await redis.hmget(names.published, `${names.namespace}-a`, `${names.namespace}-b`)).toEqual(['4', '9'])
})

test('a batch is taken once, and none before the one before it', async () => {
  const publish = await worker('numbered')
  const one = [stretch('none', 'x')]
  expect(await publish(1, 1, one)).toEqual({ published: [0] })
  expect(await publish(1, 1, one)).toBe('repeated')
  expect(await publish(3, 2, one)).toBe('before its time')
  expect(await publish(2, 2, one)).toEqual({ published: [0] })
  expect(await publish(3, 2, one)).toEqual({ published: [0] })
  expect(await publish(7, 7, one), 'Redis has lost what it knew of the last ones').toEqual({ published: [0] })
  expect(await publish(1, 1, one, 'series-2'), 'another publisher of the same run').toEqual({ published: [0] })
})

test('a run that does not hold the name publishes nothing, and one that Redis knows nothing of is told so', async () => {
  const publish = await worker('held')
  await redis.hset(names.worker('held'), 'token', 'token-2')
  const one = [stretch('refused', 'x')]
  expect(await publish(1, 1, one)).toBe('stale')
  await redis.hset(names.worker('held'), { token: 'token-1', running: '0', kind: 'long-running' })
  expect(await publish(1, 1, one), 'its end has been written').toBe('stale')
  await redis.hset(names.worker('held'), 'kind', 'repeatable')
  expect(await publish(1, 1, one), 'between two ticks').toEqual({ published: [0] })
  await redis.del(names.worker('held'))
  expect(await publish(1, 1, one)).toBe('lost')
  expect(await redis.hget(names.published, `${names.namespace}-refused`)).toBe('1')
})

test('beside its own channel, a run counts so many of others as are let, and goes on with those that it counts', async () => {
  const own = namesOf(`${names.namespace}-capped`)
  const key = (channel: string) => `${names.namespace}-${channel}`
  let n = 0
  const publish = async (most: number, ...channels: string[]) => {
    await redis.hset(own.worker('capped'), 'token', 't')
    const stretches = channels.map((channel) => ({ channel, count: 2, payloads: ['x', 'y'], asLines: true }))
    const batch = { series: 's', n: ++n, oldest: n, stretches }
    const answer = await publishFenced(redis, own, { type: 'Probe', nickname: 'capped', token: 't' }, batch, most)
    expect(answer, 'published all the same').toEqual({ published: channels.map(() => 0) })
  }
  const pub = own.pub('Probe', 'capped')
  await publish(2, key('u1'), key('u2'), key('u3'), pub, own.pub('Made', 'up'))
  await publish(2, key('u1'), key('u3'), pub)
  const counted = { [key('u1')]: '4', [key('u2')]: '2', [pub]: '4' }
  expect(await redis.hgetall(own.published)).toEqual(counted)
  const index = [`n capped ${pub}`, `o ${key('u1')}`, `o ${key('u2')}`, `t Probe ${pub}`]
  expect(await redis.zrange(own.channels, '0', '-1')).toEqual(index)
  await publish(3, key('u3'))
  expect(await redis.hgetall(own.published)).toEqual({ ...counted, [key('u3')]: '2' })
})
