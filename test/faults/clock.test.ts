import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { namesOf } from '../../src/redis/names.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { hearEpochs, processors } from './fixture.js'
import { atLeisure, FULL, measured, measuredMs } from './table.js'

/** Where distributions keep it. */
function libfaketime(): string {
  const folders = [
    '/usr/lib',
    '/usr/lib64',
    '/usr/local/lib',
    ...readdirSync('/usr/lib').map((name) => `/usr/lib/${name}`),
  ]
  const found = folders.map((folder) => join(folder, 'faketime/libfaketime.so.1')).find((file) => existsSync(file))
  if (!found) throw new Error('This test needs libfaketime (Debian: faketime); `node scripts/setup.mjs` installs it.')
  return found
}

/** A wall clock that can be set while the process runs; the monotonic one is left alone, as it is by who sets a clock. */
function falseClock() {
  const file = join(temporaryFolder('hysas-clock'), 'offset')
  const set = (seconds: number) => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}s\n`)
  set(0)
  const env = {
    LD_PRELOAD: libfaketime(),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
    NODE_OPTIONS: `--import=${join(import.meta.dirname, 'fake-clock.mjs')}`,
  }
  return { env, set }
}

/** When each message of a channel came, by the monotonic clock. */
async function times(channel: string): Promise<number[]> {
  const subscriber = connectRedis()
  const came: number[] = []
  subscriber.on('message', () => came.push(performance.now()))
  await subscriber.subscribe(channel)
  return came
}

const longestGap = (came: number[], from: number, to = performance.now()): number => {
  const all = [from, ...came.filter((at) => at >= from && at <= to), to]
  return Math.max(...all.slice(1).map((at, i) => at - (all[i] as number)))
}

describe('row 24: the wall clock of one node is set', () => {
  it('and nothing happens: no restart, no duplicate, ticks go on, also where that node then dies', async () => {
    const ns = namespace()
    const names = namesOf(ns)
    const folder = processors('Numbers', 'Ticks')
    const clock = falseClock()
    const a = await startNode({ namespace: ns, name: 'a', processors: [folder], env: clock.env })
    const b = await startNode({ namespace: ns, name: 'b', processors: [folder] })
    const client = await clientOf(ns)
    const heard = await hearEpochs(ns)
    const nicknames = ['w0', 'w1', 'w2', 'w3']
    for (const nickname of nicknames) await client.start('Numbers', nickname, {}, { timeoutMs: 30_000 })
    await client.start('Ticks', 'ticks')
    const ticks = await times(names.pub('Ticks', 'ticks'))
    const monitors = await times(names.pub('Monitor', 'Monitor'))
    await until(() => ticks.length > 3 && monitors.length > 1 && nicknames.every(heard.epochOf), { timeoutMs: 30_000 })
    expect(new Set((await client.list()).map(({ node }) => node))).toEqual(new Set(['a', 'b']))
    const before = nicknames.map(heard.epochOf)
    const falsely = (await client.list()).filter(({ node }) => node === 'a').map(({ pid }) => pid as number)
    for (const pid of [a.pid, ...falsely]) expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toContain('FAKETIME_')

    const from = performance.now()
    for (const seconds of [60, -60, 60]) {
      clock.set(seconds)
      await sleep(FULL ? 15_000 : 2500)
      const nickname = `late${Math.round(performance.now())}`
      expect(await client.start('Numbers', nickname, {}, { timeoutMs: 30_000 })).toMatchObject({ result: 'started' })
      await client.stop(nickname)
    }
    const gap = longestGap(ticks, from)
    const monitorGap = longestGap(monitors, from)
    const views = (await client.list()).filter(({ wanted }) => wanted)
    const restarts = views.reduce((sum, view) => sum + view.restarts, 0)
    measured(24, 'wall clock of a node ±60 s', '0 duplicates', heard.stale.length, heard.stale.length === 0)
    measured(24, 'wall clock of a node ±60 s', '0 restarts', restarts, restarts === 0)
    measuredMs(24, 'wall clock of a node ±60 s: longest pause of ticks every 200 ms', 2000, gap)
    measuredMs(24, 'wall clock of a node ±60 s: longest pause of Monitor', 3000, monitorGap)
    expect(heard.stale).toEqual([])
    expect(nicknames.map(heard.epochOf)).toEqual(before)
    expect(restarts).toBe(0)
    expect(views.filter(({ status }) => status !== 'started')).toEqual([])
    expect(gap).toBeLessThan(atLeisure(2000))
    expect(monitorGap).toBeLessThan(atLeisure(3000))

    // what it has scheduled by its clock must not keep the others waiting
    const died = performance.now()
    await a.kill()
    await until(() => ticks.some((at) => at > died + 4000), { timeoutMs: 90_000, what: 'ticks go on' })
    await until(() => monitors.some((at) => at > died + 4000), { timeoutMs: 90_000, what: 'Monitor goes on' })
    const pause = Math.max(longestGap(ticks, died), longestGap(monitors, died))
    measuredMs(24, 'a node whose clock is 60 s fast dies: longest pause of ticks', 7000, pause)
    expect(pause).toBeLessThan(atLeisure(7000))
    await b.stop()
  }, 240_000)
})
