import { Packr } from 'msgpackr'
import { expect, test } from 'vitest'
import { type Heard, listen } from '../../src/fleet/listen.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis, startRedis } from '../helpers/redis.js'
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

test('it is told when it hears, at first and again after a lost connection', async () => {
  const channel = `${namespace()}-tailed`
  const redis = connectRedis()
  const subscriber = connectRedis()
  const id = Number(await subscriber.client('ID'))
  const end = new AbortController()
  const heard: string[] = []
  /** How many clients are subscribed whenever it says that it hears. */
  const subscribed: Promise<number>[] = []
  const hearing = () => void subscribed.push(redis.pubsub('NUMSUB', channel).then(([, count]) => Number(count)))
  const listening = (async () => {
    for await (const { raw } of listen(subscriber, { channels: [channel], signal: end.signal, hearing }))
      heard.push(raw)
  })()
  await until(() => subscribed.length === 1)
  await redis.client('KILL', 'ID', id)
  await until(() => subscribed.length === 2)
  await redis.publish(channel, 'after')
  await until(() => heard.length === 1)
  expect(await Promise.all(subscribed)).toEqual([1, 1])
  end.abort()
  await listening
})

test('what is not taken in time is told where it is missing, and so is a lost connection', async () => {
  const channel = `${namespace()}-tailed`
  const redis = connectRedis()
  const subscriber = connectRedis()
  const id = Number(await subscriber.client('ID'))
  const heard: (string | number | null)[] = []
  const end = new AbortController()
  let go = () => {}
  const slow = new Promise<void>((resolve) => {
    go = resolve
  })
  const dropped = (messages: number | null) => void heard.push(messages)
  const listening = (async () => {
    for await (const { raw } of listen(subscriber, { channels: [channel], signal: end.signal, dropped })) {
      heard.push(raw)
      await slow
    }
  })()
  const listened = async () => Number((await redis.pubsub('NUMSUB', channel))[1]) === 1
  await until(listened)
  await redis.publish(channel, 'first')
  await until(() => heard.length === 1)
  const many = redis.pipeline()
  for (let n = 0; n < 10_005; n++) many.publish(channel, String(n))
  await many.exec()
  await subscriber.ping() // answered after all of them
  go()
  await until(() => heard.at(-1) === '10004')
  expect(heard.slice(0, 3)).toEqual(['first', 5, '5'])
  expect(heard).toHaveLength(10_002)
  await redis.client('KILL', 'ID', id)
  await until(listened)
  await redis.publish(channel, 'after')
  await until(() => heard.at(-1) === 'after')
  expect(heard.slice(-3)).toEqual(['10004', null, 'after'])
  end.abort()
  await listening
})

test('a lost connection is told at once, and once, however long it stays away', async () => {
  const server = await startRedis()
  const subscriber = connectRedis(server.url)
  const redis = connectRedis(server.url)
  const heard: (string | null)[] = []
  let closed = 0
  subscriber.on('close', () => closed++)
  const end = new AbortController()
  const dropped = (messages: number | null) => void (messages === null && heard.push(null))
  const listening = (async () => {
    for await (const { raw } of listen(subscriber, { channels: ['away'], signal: end.signal, dropped })) heard.push(raw)
  })()
  const listened = async () => Number((await redis.pubsub('NUMSUB', 'away'))[1]) === 1
  await until(listened)
  await server.kill()
  await until(() => heard.length === 1)
  await until(() => closed > 3)
  await server.restart()
  await until(listened)
  await redis.publish('away', 'after')
  await until(() => heard.at(-1) === 'after')
  expect(heard).toEqual([null, 'after'])
  end.abort()
  await listening
})
