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
  await redis.del(names.worker('held'))
  expect(await publish(1, 1, one)).toBe('lost')
  expect(await redis.hget(names.published, `${names.namespace}-refused`)).toBeNull()
})
