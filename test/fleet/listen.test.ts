import { Packr } from 'msgpackr'
import { expect, test } from 'vitest'
import { type Heard, listen } from '../../src/fleet/listen.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

test('a frame is heard as its messages, and MessagePack as JSON', async () => {
  const channel = `${namespace()}-tailed`
  const redis = connectRedis()
  const heard: Heard[] = []
  const end = new AbortController()
  const listening = (async () => {
    for await (const one of listen(connectRedis(), { channels: [channel], signal: end.signal })) heard.push(one)
  })()
  await until(async () => Number((await redis.pubsub('NUMSUB', channel))[1]) === 1)
  const packr = new Packr({ useRecords: false })
  await redis.publish(channel, 'plain text')
  await redis.publish(channel, '\x1e[{"a":1},"text"]')
  await redis.publish(channel, Buffer.concat([Buffer.from([0xc1]), packr.pack({ b: [2] })]))
  await redis.publish(channel, Buffer.concat([Buffer.from([0x1e, 0xc1]), packr.pack([{ c: 3 }, 'more'])]))
  await until(() => heard.length === 6)
  expect(heard.map(({ raw }) => raw)).toEqual(['plain text', '{"a":1}', 'text', '{"b":[2]}', '{"c":3}', 'more'])
  end.abort()
  await listening
})
