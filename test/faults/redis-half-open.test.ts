import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'
import { afterAll, expect, it } from 'vitest'
import { connectRedis as open } from '../../src/redis/connect.js'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { connectRedis, startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { processors } from './fixture.js'
import { changedRuns, hearSaid, pause, runsOf, startSaying } from './redis-fixture.js'
import { atLeisure, FULL, measured, measuredMs } from './table.js'

const releasers: (() => unknown)[] = []
afterAll(() => {
  for (const release of releasers) release()
})

/** A TCP proxy whose present connections can go silent for good, both ways, without being closed: half-open ones. */
async function startProxy(port: number) {
  const pairs = new Set<[Socket, Socket]>()
  const silent = new Set<[Socket, Socket]>()
  let made = 0
  const server = createServer((near) => {
    made++
    const far = connect(port, '127.0.0.1')
    const pair: [Socket, Socket] = [near, far]
    pairs.add(pair)
    near.pipe(far)
    far.pipe(near)
    for (const socket of pair) {
      socket.on('error', () => {})
      socket.on('close', () => {
        if (pairs.has(pair)) for (const one of pair) one.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  releasers.push(() => {
    for (const pair of [...pairs, ...silent]) for (const socket of pair) socket.destroy()
    server.close()
  })
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    made: () => made,
    /** What comes on the present connections from now on is neither passed on nor answered. @returns how many */
    goSilent(): number {
      const count = pairs.size
      for (const pair of pairs) {
        const [near, far] = pair
        near.unpipe(far)
        far.unpipe(near)
        for (const socket of pair) socket.resume()
        silent.add(pair)
      }
      pairs.clear()
      return count
    },
  }
}

it('row 17: a node and its workers notice connections that went silent, and are back within seconds', async () => {
  const ns = namespace()
  const names = namesOf(ns)
  const server = await startRedis()
  const proxy = await startProxy(server.port)
  const folder = processors('Says')
  const node = await startNode({ namespace: ns, name: 'a', url: proxy.url, processors: [folder] })
  const client = await clientOf(ns, server.url)
  const behind = await clientOf(ns, proxy.url)
  const said = ['h0', 'h1', 'h2']
  await startSaying(client, said)
  const other = await startNode({ namespace: ns, name: 'b', url: server.url, processors: [folder] })
  const heard = await hearSaid(ns, server.url)
  const redis = connectRedis(server.url)
  const channels = [names.wake, names.command, ...said.map((nickname) => names.workerCommand('Says', nickname))]
  const before = await runsOf(client, said.length)
  const rounds = FULL ? 3 : 1
  for (let round = 0; round < rounds; round++) {
    await heard.backAfter(performance.now(), said)
    const silent = proxy.goSilent()
    const made = proxy.made()
    await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub') // Redis, too, has given them up: what it lists then is new
    expect(silent).toBeGreaterThan(8)
    const at = performance.now()
    const publishing = heard.backAfter(at, said)
    const hearing = until(
      async () => !(await redis.pubsub('NUMSUB', ...channels)).includes(0) && performance.now() - at,
      { everyMs: 10, timeoutMs: 30_000, what: 'all listen again' },
    )
    const commanding = (async () => {
      await client.restart(`h${round}`, { timeoutMs: 30_000 })
      return performance.now() - at
    })()
    const asking = until(async () => (await behind.list()).length > 0 && performance.now() - at, { timeoutMs: 30_000 })
    const ms = Math.max(...(await Promise.all([publishing, hearing, commanding, asking])).map(Number))
    measuredMs(17, 'half-open connections: publish, listen, command, client', 5000, ms)
    expect(ms).toBeLessThan(atLeisure(5000))
    expect(proxy.made()).toBeGreaterThan(made)
  }
  const after = await runsOf(client, said.length)
  const settled = performance.now()
  await pause(500)
  expect(heard.doubled(settled)).toEqual([])
  measured(
    17,
    'half-open connections',
    'workers that another node took over',
    changedRuns(before, after) - rounds,
    true,
  )
  expect(heard.stale()).toEqual([])
  await Promise.all([node.stop(), other.stop()]) // while the proxy is there
}, 90_000)

it('row 17: an idle connection, and one in a blocking command, are left alone', async () => {
  const server = await startRedis()
  const proxy = await startProxy(server.port)
  const redis = open(proxy.url, 'worker', 'idle')
  const blocked = open(proxy.url, 'worker', 'blocked')
  const listening = open(proxy.url, 'subscriber', 'listening')
  releasers.push(
    () => redis.disconnect(),
    () => blocked.disconnect(),
    () => listening.disconnect(),
  )
  await Promise.all([redis.ping(), blocked.ping(), listening.subscribe('x')])
  const answer = blocked.blpop('list', 0)
  const commands = async () => Number(/cmdstat_ping:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0)
  const [made, pings] = [proxy.made(), await commands()]
  await pause(5000)
  expect(proxy.made()).toBe(made)
  expect((await commands()) - pings).toBeLessThan(12)
  await redis.rpush('list', 'x')
  expect(await answer).toEqual(['list', 'x'])
})
