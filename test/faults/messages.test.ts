import { beforeAll, describe, expect, it } from 'vitest'
import type { Client, WorkerView } from '../../src/client.js'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { type RedisServer, startRedisServer } from '../helpers/redis-server.js'
import { until } from '../helpers/until.js'
import { processors, shown } from './fixture.js'
import { listener, pause } from './redis-fixture.js'
import { atLeisure, FULL, measured, measuredMs } from './table.js'

// CLIENT KILL hits every subscriber of a server, so it is our own one
const ns = namespace()
const names = namesOf(ns)
const released: (() => Promise<unknown>)[] = []
let server: RedisServer
let client: Client
let redis: ReturnType<typeof listener>

beforeAll(async () => {
  // more than what one script publishes at once, but far less than the usual 32 MB
  server = await startRedisServer({ args: ['--client-output-buffer-limit', 'pubsub 4mb 2mb 2'] })
  const node = await startNode({ namespace: ns, url: server.url, processors: [processors('Ears', 'Flood', 'Says')] })
  client = await clientOf(ns, server.url)
  redis = listener(server.url)
  return async () => {
    for (const release of released) await release()
    await client.close()
    await node.stop()
    await server.stop()
  }
}, 60_000)

const publishedBy = async (type: string, nickname: string): Promise<number> =>
  Number(await redis.hget(names.published, names.pub(type, nickname)))

/** The hearer once its numbers account for all that was published. */
async function accounted(nickname: string, published: () => Promise<number>): Promise<WorkerView> {
  return until(
    async () => {
      const view = await client.show(nickname)
      return view.received + view.lost + view.dropped === (await published()) ? view : undefined
    },
    {
      timeoutMs: 30_000,
      what: `all that ${nickname} should have heard is accounted for`,
    },
  ).catch(async (error: unknown) => {
    const { received, lost, dropped, gaps } = await client.show(nickname)
    throw new Error(`${JSON.stringify({ received, lost, dropped, gaps })} of ${await published()}`, { cause: error })
  })
}

describe('row 15: subscriptions that Redis ends', () => {
  it('come back at once, and what was missed is counted', { timeout: 60_000 }, async () => {
    await client.start('Ears', 'ears-15', { nicknames: ['mouth-15'] }, { timeoutMs: 30_000 })
    await client.start('Says', 'mouth-15', { everyMs: 2 }, { timeoutMs: 30_000 })
    const heardAt = async () => Number(await redis.get(`${ns}:heard:ears-15`))
    for (let round = 0; round < (FULL ? 20 : 2); round++) {
      await until(async () => Date.now() - (await heardAt()) < 1000)
      const from = Date.now()
      await redis.client('KILL', 'TYPE', 'PUBSUB')
      const at = await until(async () => {
        const heard = await heardAt()
        return heard > from + 10 ? heard : undefined
      })
      measuredMs(15, 'CLIENT KILL TYPE pubsub', 1000, at - from)
      expect(at - from).toBeLessThan(atLeisure(1000))
      await pause(300)
    }
    expect(await client.send('ears-15', 'there')).toBe(true)
    // the node hears raw commands again, too
    await until(async () => (await redis.publish(names.command, 'nothing')) === 1)
    await client.stop('mouth-15')
    const view = await accounted('ears-15', () => publishedBy('Says', 'mouth-15'))
    const missed = (await publishedBy('Says', 'mouth-15')) - view.received
    measured(15, 'what was missed is counted', 'lost = counted', `${view.lost} = ${missed}`, view.lost === missed)
    expect(view).toMatchObject({ lost: missed, lost_by: { [names.pub('Says', 'mouth-15')]: missed } })
    expect(view.gaps.at(-1)).toMatchObject({ from: expect.any(Number), to: expect.any(Number) })
    const [flow] = (await client.flows()).filter(({ to, from }) => to === 'ears-15' && from === 'mouth-15')
    expect(flow).toMatchObject({ lost: view.lost })
    await client.stop('ears-15')
  })
})

describe('row 28: a subscriber that is paused until Redis cuts it off', () => {
  it('has lost exactly what it is said to have lost, channel by channel', { timeout: 120_000 }, async () => {
    const mouths = ['mouth-a', 'mouth-b']
    for (const nickname of mouths) await client.start('Flood', nickname, {}, { timeoutMs: 30_000 })
    for (const nickname of ['awake', 'paused'])
      await client.start('Ears', nickname, { nicknames: mouths }, { timeoutMs: 30_000 })
    const say = (nickname: string, count: number) =>
      client.send(nickname, 'say', { count, bytes: 1000 }, { timeoutMs: 60_000 })
    const { pid } = await client.show('paused')
    let published = 0
    for (let round = 0; round < (FULL ? 10 : 1); round++) {
      await Promise.all(mouths.map((nickname) => say(nickname, 200)))
      await until(async () => (await client.show('paused')).received > 0)
      process.kill(pid as number, 'SIGSTOP')
      try {
        for (let cut = false; !cut; published += 20_000) {
          await Promise.all([say('mouth-a', 15_000), say('mouth-b', 5000)])
          cut = !String(await redis.client('LIST')).includes('name=hysas:subscriber:paused ')
        }
      } finally {
        process.kill(pid as number, 'SIGCONT')
      }
      published += 400
      await shown(client, 'paused', ({ gaps }) => Boolean(gaps.at(-1)?.to))
      await accounted('paused', async () => published)
    }
    const view = await accounted('paused', async () => published)
    expect(view.pid).toBe(pid)
    expect(view.lost).toBeGreaterThan(0)
    const by = Object.values(view.lost_by).reduce((sum, count) => sum + count, 0)
    expect(by).toBe(view.lost)
    expect(Object.keys(view.lost_by).sort()).toEqual(mouths.map((nickname) => names.pub('Flood', nickname)))
    const counted = published - view.received - view.dropped
    measured(
      28,
      'a subscriber paused until it is cut off',
      'lost = counted',
      `${view.lost} = ${counted}`,
      view.lost === counted,
    )
    await accounted('awake', async () => published)
    for (const nickname of [...mouths, 'awake', 'paused']) await client.stop(nickname)
  })
})

describe('row 27: a message of 10 MB', () => {
  it('is refused at its publisher, and holds nobody else up', { timeout: 60_000 }, async () => {
    await client.start('Flood', 'clock', { everyMs: 5 }, { timeoutMs: 30_000 })
    await client.start('Flood', 'giant', {}, { timeoutMs: 30_000 })
    const subscriber = listener(server.url)
    const delays: number[] = []
    subscriber.on('message', (_channel: string, raw: string) => delays.push(Date.now() - JSON.parse(raw).at))
    await subscriber.subscribe(names.pub('Flood', 'clock'))
    const until = performance.now() + (FULL ? 30_000 : 3000)
    let refused = 0
    while (performance.now() < until) {
      const sent = client.send('giant', 'huge', { bytes: 10 * 1024 * 1024 }, { timeoutMs: 30_000 })
      await expect(sent).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
      refused++
      await pause(20)
    }
    subscriber.disconnect()
    expect(refused).toBeGreaterThan(0)
    expect(await publishedBy('Flood', 'giant')).toBe(0)
    const p99 = delays.sort((a, b) => a - b)[Math.floor(delays.length * 0.99)] ?? Number.POSITIVE_INFINITY
    measuredMs(27, `others' p99 beside ${refused} messages of 10 MB`, 100, p99)
    expect(p99).toBeLessThan(atLeisure(100))
    expect(delays.length).toBeGreaterThan(100)
    for (const nickname of ['clock', 'giant']) await client.stop(nickname)
  })
})
