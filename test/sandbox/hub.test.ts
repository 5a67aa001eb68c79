import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Delivery } from '../../src/redis/delivery.js'
import { namesOf } from '../../src/redis/names.js'
import { publishFenced } from '../../src/redis/publish-scripts.js'
import { createHub, type Hub } from '../../src/sandbox/hub.js'
import { tune } from '../../src/sandbox/source.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const names = namesOf(namespace())
const redis = connectRedis()
const hubs: Hub[] = []
afterAll(() => {
  for (const hub of hubs) hub.close()
})

function open() {
  let made = 0
  let connection = redis
  const hub = createHub({
    names,
    redis,
    connect() {
      made++
      connection = connectRedis()
      return connection
    },
  })
  hubs.push(hub)
  return { hub, connections: () => made, connection: () => connection }
}

/** A worker at the hub, and all that it is told. */
function join(hub: Hub) {
  const told = { heard: [] as Delivery[], cut: 0, back: 0, lost: {} as Record<string, number> }
  const seat = hub.join({
    onCut: () => told.cut++,
    onBack: () => told.back++,
    onLost(lost) {
      for (const [channel, count] of lost) told.lost[channel] = (told.lost[channel] ?? 0) + count
    },
  })
  const hear = (source: Parameters<typeof tune>[1]) => seat.add(tune(names, source), (one) => told.heard.push(one))
  return { seat, told, hear }
}

/** Publishes as the worker `Says.<nickname>` does, all in one step. */
function speaker(nickname: string) {
  let n = 0
  const channel = names.pub('Says', nickname)
  return async (count: number, to = channel, most?: number) => {
    await redis.hset(names.worker(nickname), 'token', 't')
    const payloads = Array.from({ length: count }, (_, i) => String(i))
    const batch = { series: 's', n: ++n, oldest: n, stretches: [{ channel: to, count, payloads, asLines: true }] }
    const answer = await publishFenced(redis, names, { type: 'Says', nickname, token: 't' }, batch, most)
    expect(answer).toHaveProperty('published')
  }
}

/** Marks of the hubs, as another connection hears them. */
let marks = 0
beforeAll(async () => {
  const observer = connectRedis()
  observer.on('pmessage', () => marks++)
  await observer.psubscribe(names.mark('*'))
})

/** Resolves when the mark has come that `work` asks for: losses are counted from there on. */
async function marked<T>(work: () => Promise<T>): Promise<T> {
  const before = marks
  const value = await work()
  await until(() => marks > before)
  await settled()
  return value
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 100))

test('many workers share one connection, one subscription and one reading of a message', async () => {
  const { hub, connections } = open()
  const [a, b, c] = [join(hub), join(hub), join(hub)]
  const say = speaker('one')
  const channel = names.pub('Says', 'one')
  const endA = await a.hear({ nickname: 'one' })
  const endB = await b.hear({ channel })
  await c.hear({ channel })
  await c.hear({ type: 'Says' })
  expect(connections()).toBe(1)
  expect(await redis.pubsub('NUMSUB', channel)).toEqual([channel, 1])
  await say(3)
  await until(() => [a, b, c].every(({ told }) => told.heard.length === 3 || told.heard.length === 6))
  expect(a.told.heard.map(({ raw }) => raw)).toEqual(['0', '1', '2'])
  expect(a.told.heard[0]?.message).toBe(b.told.heard[0]?.message)

  await endB()
  await endB()
  expect(await redis.pubsub('NUMSUB', channel)).toEqual([channel, 1])
  c.seat.close()
  await until(async () => Number((await redis.pubsub('NUMSUB', channel))[1]) === 0)
  await say(1)
  await until(() => a.told.heard.length === 4)
  expect(b.told.heard).toHaveLength(3)
  await endA()
  await say(1)
  await settled()
  expect(a.told.heard).toHaveLength(4)
})

test('each worker is told of the losses of what it hears, from when it began to, and of nothing else', async () => {
  const { hub, connection } = open()
  const [early, late, other] = [join(hub), join(hub), join(hub)]
  const [x, y] = [speaker('x'), speaker('y')]
  /** Cuts the connection, and lets `meanwhile` happen before it is back. */
  const cut = async (meanwhile: () => Promise<unknown>) => {
    connection().disconnect(false)
    await until(() => connection().status === 'end')
    await meanwhile()
    const back = early.told.back
    await marked(async () => {
      await connection().connect()
      await until(() => early.told.back > back)
    })
  }
  await x(5)
  await marked(() => early.hear({ type: 'Says' }))
  await marked(() => other.hear({ nickname: 'y' }))
  await x(2)
  await cut(() => Promise.all([x(10), y(3)]))
  await marked(() => late.hear({ channel: names.pub('Says', 'x') }))
  await until(() => early.told.lost[names.pub('Says', 'x')] === 10)
  expect(early.told.lost).toEqual({ [names.pub('Says', 'x')]: 10, [names.pub('Says', 'y')]: 3 })
  expect(other.told.lost).toEqual({ [names.pub('Says', 'y')]: 3 })
  await cut(() => x(7))
  await until(() => late.told.lost[names.pub('Says', 'x')] === 7)
  expect(early.told).toMatchObject({ cut: 2, back: 2 })
  expect(early.told.lost).toEqual({ [names.pub('Says', 'x')]: 17, [names.pub('Says', 'y')]: 3 })
  expect(late.told.lost).toEqual({ [names.pub('Says', 'x')]: 7 })
  expect(other.told.lost).toEqual({ [names.pub('Says', 'y')]: 3 })
  await x(4)
  await until(() => late.told.heard.length === 4)
})

test('of a channel that is not counted nothing is lost, though it was missed, and counting may begin later', async () => {
  const { hub, connection } = open()
  const { told, hear } = join(hub)
  const say = speaker('counts')
  const [counted, uncounted] = [`${names.namespace}-counted`, `${names.namespace}-uncounted`]
  const others = async () => Number(await redis.zlexcount(names.channels, '[o ', '(o!'))
  await marked(() => hear({ channel: counted }))
  await marked(() => hear({ channel: uncounted }))
  const most = (await others()) + 1
  const both = (count: number, limit: number) =>
    Promise.all([counted, uncounted].map((channel) => say(count, channel, limit)))
  const cut = async (meanwhile: () => Promise<unknown>) => {
    connection().disconnect(false)
    await until(() => connection().status === 'end')
    await meanwhile()
    const { back } = told
    await marked(async () => {
      await connection().connect()
      await until(() => told.back > back)
    })
  }
  await both(5, most)
  await until(() => told.heard.length === 10)
  expect(await redis.hmget(names.published, counted, uncounted)).toEqual(['5', null])
  await cut(() => both(7, most))
  await until(() => told.lost[counted] === 7)
  expect(told.lost).toEqual({ [counted]: 7 })
  await both(3, most + 1)
  await until(() => told.heard.length === 16)
  await cut(async () => {})
  expect(told.lost).toEqual({ [counted]: 7 })
  await cut(() => both(2, most + 1))
  await until(() => told.lost[counted] === 9)
  expect(told.lost).toEqual({ [counted]: 9, [uncounted]: 2 })
})

test('a connection that is cut again before it is back was away once', async () => {
  const { hub, connection } = open()
  const { told, hear } = join(hub)
  await hear({ channel: `${names.namespace}-again` })
  connection().once('ready', () => connection().stream.destroy())
  connection().stream.destroy()
  await until(() => told.back > 0)
  expect([told.cut, told.back]).toEqual([1, 1])
})
