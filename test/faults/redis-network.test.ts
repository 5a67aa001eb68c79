import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Client } from '../../src/client.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode, type TestNode } from '../helpers/node.js'
import { startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { lives, processors } from './fixture.js'
import { makeNetwork, type Network } from './network.js'
import { canInject, changedRuns, hearSaid, pause, runsOf, type Said, startSaying } from './redis-fixture.js'
import { FULL, measured, measuredMs } from './table.js'

const ns = namespace()
const nicknames = ['n0', 'n1', 'n2']
const file = join(temporaryFolder('hysas-said'), 'said')
let network: Network | undefined
let farNode: TestNode | undefined
let port: number
let client: Client
let heard: Awaited<ReturnType<typeof hearSaid>>

/** A node beyond a cable hosts the workers; a second one stands beside Redis. */
beforeAll(async () => {
  if (!canInject(16, 'link of a node down') || !canInject(18, 'a slow and lossy network')) return
  network = await makeNetwork()
  const server = await startRedis({ args: ['--bind', '0.0.0.0', '--protected-mode', 'no'] })
  const folders = [processors('Says')]
  port = server.port
  const far = `redis://${network.here}:${port}`
  farNode = await startNode({ namespace: ns, name: 'far', url: far, processors: folders, via: network.enter })
  client = await clientOf(ns, server.url)
  heard = await hearSaid(ns, server.url)
  await startSaying(client, nicknames, { file })
  await startNode({ namespace: ns, name: 'near', url: server.url, processors: folders })
})

afterAll(() => farNode?.stop()) // while its network is there

const written = (): Said[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

it('row 18: a slow and lossy network is no reason to move a worker', async () => {
  if (!network) return
  const before = await runsOf(client, nicknames.length)
  await network.impair(200, 5)
  expect(await network.connectMs(port)).toBeGreaterThan(150)
  const seconds = FULL ? 300 : 8
  await pause(seconds * 1000)
  const after = await runsOf(client, nicknames.length, 60_000)
  await network.mend()
  const moved = changedRuns(before, after)
  measured(18, `200 ms and 5 % loss each way, ${seconds} s`, '0 false failovers', moved, moved === 0)
  expect(moved).toBe(0)
  await heard.backAfter(performance.now(), nicknames)
  expect(heard.stale()).toEqual([])
}, 400_000)

it('row 16: workers that are cut off fall silent before others take their place, and end when they are back', async () => {
  if (!network) return
  const before = await runsOf(client, nicknames.length)
  expect([...before.values()].map(({ node }) => node)).toEqual(['far', 'far', 'far'])
  network.down()
  const cut = performance.now()
  await until(async () => [...(await runsOf(client, nicknames.length)).values()].every(({ node }) => node === 'near'), {
    timeoutMs: 30_000,
    what: 'all on the near node',
  })
  const fault = `link of a node down ${FULL ? 10 : 6} s`
  measured(16, fault, 'moved', `${Math.round(performance.now() - cut)} ms`, true)
  await pause(cut + (FULL ? 10_000 : 6000) - performance.now())
  network.up()
  const up = performance.now()
  await until(async () => (await client.nodes()).length === 2, { timeoutMs: 30_000, what: 'the far node back' })
  const old = [...before.values()].map(({ pid }) => pid as number)
  await until(() => !old.some(lives), { timeoutMs: 30_000, what: 'the old runs gone' })
  measuredMs(16, `${fault}: the old runs end`, 5000, performance.now() - up)
  await pause(1000)
  const stale = heard.stale()
  measured(16, fault, '0 stale messages', stale.length, stale.length === 0)
  expect(stale).toEqual([])
  expect(heard.doubled(up)).toEqual([])
  // what the old runs did besides ended before the new ones began: they wrote to a file after each message
  const lines = written()
  for (const nickname of nicknames) {
    const { epoch = 0, pid = 0 } = before.get(nickname) ?? {}
    const newFrom = heard.all.find((said) => said.nickname === nickname && said.epoch > (epoch ?? 0))
    const firstNew = lines.findIndex((line) => line.epoch === newFrom?.epoch)
    const lastOld = lines.findLastIndex((line) => line.pid === pid)
    expect(firstNew).toBeGreaterThan(lastOld)
  }
}, 90_000)
