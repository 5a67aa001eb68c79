import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Client, WorkerView } from '../../src/client.js'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { againAfter, childrenOf, hearEpochs, lives, processors, shown } from './fixture.js'
import { atLeisure, FULL, measured, measuredMs, together } from './table.js'

/** Starts `count` workers that speak. */
async function startNumbers(client: Client, count: number): Promise<string[]> {
  const nicknames = Array.from({ length: count }, (_, i) => `w${i}`)
  await Promise.all(nicknames.map((nickname) => client.start('Numbers', nickname, {}, { timeoutMs: 60_000 })))
  return nicknames
}

const numbers = async (client: Client): Promise<WorkerView[]> =>
  (await client.list()).filter(({ type }) => type === 'Numbers')

/** All speak, and only from `node`. Resolves with when the last one's present run was first heard. */
async function allOn(
  client: Client,
  heard: Awaited<ReturnType<typeof hearEpochs>>,
  node: string,
  nicknames: string[],
  timeoutMs = 40_000,
): Promise<number> {
  await until(
    async () => {
      const views = await numbers(client)
      return (
        views.length === nicknames.length &&
        views.every(
          (view) => view.status === 'started' && view.node === node && heard.epochOf(view.nickname) === view.epoch,
        )
      )
    },
    { timeoutMs, everyMs: 50, what: `all on ${node}` },
  )
  return Math.max(...nicknames.map(heard.since))
}

describe('row 2: a node that is killed', () => {
  it('has all its workers on the other node within seconds, and leaves no child', async () => {
    const ns = namespace()
    const folder = processors('Numbers', 'Ticks')
    const count = FULL ? 20 : 6
    const a = await startNode({ namespace: ns, name: 'a', processors: [folder] })
    const client = await clientOf(ns)
    const heard = await hearEpochs(ns)
    const nicknames = await startNumbers(client, count)
    const { epoch: ticking } = await client.start('Ticks', 'ticks')
    const b = await startNode({ namespace: ns, name: 'b', processors: [folder] })
    const pids = (await numbers(client)).map(({ pid }) => pid as number)
    const children = [...new Set([...pids, ...childrenOf(a.pid)])]
    const from = performance.now()
    await a.kill()
    await until(() => !children.some(lives), { everyMs: 5, timeoutMs: 20_000, what: 'its children gone' })
    const orphansMs = performance.now() - from
    const ms = (await allOn(client, heard, 'b', nicknames)) - from
    const ticks = await heard.later('ticks', ticking as number)
    measuredMs(2, 'kill -9 of a node: a repeatable worker ticks on', 5000, ticks.at - from)
    measuredMs(2, `kill -9 of a node with ${count} workers: all moved`, 5000, ms)
    measuredMs(2, 'its children gone', 1000, orphansMs)
    expect(ms).toBeLessThan(atLeisure(5000))
    expect(orphansMs).toBeLessThan(atLeisure(1000))
    expect(heard.stale).toEqual([])
    await b.stop()
  }, 120_000)
})

describe('row 32: a node that is ended by SIGTERM', () => {
  it('hands its workers over, each after its beforeTermination', async () => {
    const ns = namespace()
    const folder = processors('Numbers')
    const a = await startNode({ namespace: ns, name: 'a', processors: [folder] })
    const client = await clientOf(ns)
    const heard = await hearEpochs(ns)
    const nicknames = await startNumbers(client, FULL ? 10 : 4)
    const b = await startNode({ namespace: ns, name: 'b', processors: [folder] })
    const byes: { nickname: string; reason: string; at: number }[] = []
    const subscriber = connectRedis()
    subscriber.on('message', (_channel: string, raw: string) =>
      byes.push({ ...(JSON.parse(raw) as { nickname: string; reason: string }), at: performance.now() }),
    )
    await subscriber.subscribe(`${ns}.bye`)
    const from = performance.now()
    a.child.kill('SIGTERM')
    const on = await allOn(client, heard, 'b', nicknames)
    expect(byes.map(({ nickname }) => nickname).sort()).toEqual([...nicknames].sort())
    expect(new Set(byes.map(({ reason }) => reason))).toEqual(new Set(['handover']))
    const silences = byes.map(({ nickname, at }) => heard.since(nickname) - at)
    const each = (on - from) / nicknames.length
    const value = `${Math.round(each)} ms a worker, longest silence of one ${Math.round(Math.max(...silences))} ms`
    measured(32, `SIGTERM to a node with ${nicknames.length} workers`, '≤ 1000 ms a worker', value, each <= 1000)
    expect(each).toBeLessThan(atLeisure(1000))
    expect((await a.exited).code).toBe(0)
    for (const view of await numbers(client)) expect(view.restarts).toBe(0)
    expect(heard.stale).toEqual([])
    await b.stop()
  }, 120_000)
})

/** What rows 3 and 6 have in common: the node neither dies nor does anything, and its children go on. */
async function frozen(freeze: (pid: number) => void, env: Record<string, string> = {}) {
  const ns = namespace()
  const folder = processors('Numbers', 'Ticks')
  const a = await startNode({ namespace: ns, name: 'a', processors: [folder], env })
  const client = await clientOf(ns)
  const heard = await hearEpochs(ns)
  const nicknames = await startNumbers(client, 3)
  await client.start('Ticks', 'ticks')
  const before = await client.list()
  const b = await startNode({ namespace: ns, name: 'b', processors: [folder] })
  const from = performance.now()
  freeze(a.pid)
  const ms = (await allOn(client, heard, 'b', nicknames)) - from
  const ticks = await shown(client, 'ticks', (view) => view.node === 'b' && view.status === 'started')
  expect(ticks.epoch).toBeGreaterThan(before.find(({ nickname }) => nickname === 'ticks')?.epoch as number)
  return { a, b, client, heard, nicknames, ms, from, pids: before.flatMap(({ pid }) => pid ?? []) }
}

together('row 3: a node that is stopped by SIGSTOP', () => {
  it('loses its workers to the other node, and ends its old runs when it wakes', async () => {
    const { a, b, client, heard, nicknames, ms, from, pids } = await frozen((pid) => process.kill(pid, 'SIGSTOP'))
    measuredMs(3, 'SIGSTOP a node: all moved', 10_000, ms)
    await sleep(Math.max(0, (FULL ? 10_000 : 6000) - (performance.now() - from)))
    const epochs = new Map(nicknames.map((nickname) => [nickname, heard.epochOf(nickname)]))
    process.kill(a.pid, 'SIGCONT')
    const woken = performance.now()
    await until(() => !pids.some(lives), { timeoutMs: 20_000, everyMs: 5, what: 'the old runs ended' })
    measuredMs(3, 'the old runs ended after SIGCONT', 3000, performance.now() - woken)
    await sleep(FULL ? 5000 : 1500)
    measured(3, 'SIGSTOP a node, then SIGCONT', '0 stale messages', heard.stale.length, heard.stale.length === 0)
    expect(heard.stale).toEqual([])
    // what moved stays where it is
    expect(nicknames.map(heard.epochOf)).toEqual(nicknames.map((nickname) => epochs.get(nickname)))
    // and the woken node works: it gets what the other gives up
    await b.stop()
    await allOn(client, heard, 'a', nicknames)
    expect(heard.stale).toEqual([])
    await a.stop()
  }, 120_000)
})

together('a node whose name another has taken while it was stopped', () => {
  it('ends when it wakes, and its workers are with the other', async () => {
    const ns = namespace()
    const folder = processors('Numbers')
    const a = await startNode({ namespace: ns, name: 'same', processors: [folder] })
    const client = await clientOf(ns)
    const heard = await hearEpochs(ns)
    const nicknames = await startNumbers(client, 3)
    await allOn(client, heard, 'same', nicknames)
    const before = new Map(nicknames.map((nickname) => [nickname, heard.epochOf(nickname)]))
    process.kill(a.pid, 'SIGSTOP')
    await until(async () => (await client.nodes()).length === 0, { timeoutMs: 20_000, what: 'its name is free' })
    const b = await startNode({ namespace: ns, name: 'same', processors: [folder] })
    const moved = nicknames.map((nickname) => heard.later(nickname, before.get(nickname) ?? 0, 40_000))
    const epochs = (await Promise.all(moved)).map(({ epoch }) => epoch)
    process.kill(a.pid, 'SIGCONT')
    expect((await a.exited).code).toBe(1)
    expect(a.output()).toMatch(/A node named same is up already/)
    const [own] = await client.nodes()
    expect(own).toMatchObject({ name: 'same', pid: b.pid })
    await allOn(client, heard, 'same', nicknames)
    expect(nicknames.map(heard.epochOf)).toEqual(epochs) // what moved stays where it is
    expect(heard.stale).toEqual([])
    await b.stop()
  }, 120_000)
})

together('row 6: a node in an endless loop of its own process', () => {
  it('loses its workers to the other node, and its old runs write nothing more', async () => {
    const preload = `--import=${join(import.meta.dirname, 'loop-on-signal.mjs')}`
    const { a, b, heard } = await frozen((pid) => process.kill(pid, 'SIGUSR2'), { NODE_OPTIONS: preload })
    await sleep(FULL ? 10_000 : 1500)
    measured(
      6,
      "endless loop in the node's own process",
      '0 stale messages',
      heard.stale.length,
      heard.stale.length === 0,
    )
    expect(heard.stale).toEqual([])
    await a.kill()
    await b.stop()
  }, 120_000)
})

describe('row 33: a worker whose hosts crash again and again', () => {
  it('is never given up', async () => {
    const ns = namespace()
    const crashes = FULL ? 100 : 3
    const folder = processors('Quiet')
    const start = (n: number) => startNode({ namespace: ns, name: `n${n}`, processors: [folder] })
    const up = [await start(0), await start(1)]
    const client = await clientOf(ns)
    let { epoch } = await client.start('Quiet', 'hardy')
    for (let n = 2; n < crashes + 2; n++) {
      const { node } = await client.show('hardy')
      const index = up.findIndex(({ name }) => name === node)
      await up[index]?.kill()
      up[index] = await start(n)
      ;({ epoch } = await shown(client, 'hardy', againAfter(epoch)))
    }
    const view = await client.show('hardy')
    const state = await connectRedis().hgetall(namesOf(ns).worker('hardy'))
    measured(33, `${crashes} host crashes under one worker`, 'still runs', view.status, view.status === 'started')
    expect(view).toMatchObject({ status: 'started', wanted: true, restarts: 0 })
    expect(state.wanted).toBe('1')
    await Promise.all(up.map((node) => node.stop()))
  }, 1_500_000)
})
