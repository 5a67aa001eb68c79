import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Queue } from 'bullmq'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Client, CommandOutcome } from '../../src/client.js'
import { COMMAND_QUEUE, namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode, type TestNode } from '../helpers/node.js'
import { connectRedis, redisUrl } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { hearEpochs, processors } from './fixture.js'
import { pause } from './redis-fixture.js'
import { FULL, measured } from './table.js'

const ns = namespace()
const names = namesOf(ns)
const redis = connectRedis()
let folder: string
let client: Client
let node: TestNode
let second: TestNode
let heard: Awaited<ReturnType<typeof hearEpochs>>

const aNode = () => startNode({ namespace: ns, processors: [folder] })
beforeAll(async () => {
  folder = processors('Numbers', 'Quiet')
  ;[node, second] = await Promise.all([aNode(), aNode()])
  client = await clientOf(ns)
  heard = await hearEpochs(ns)
  // all that a fleet at work has in Redis is there
  await client.start('Numbers', 'first', {}, { timeoutMs: 30_000 })
  await until(() => heard.epochOf('first'))
  await client.stop('first')
  await until(async () => (await client.show('Monitor')).ticks > 1)
}, 60_000)

type Outcome = { ok: CommandOutcome; code?: never } | { code: string; ok?: never }

/** Has processes give commands at the same moment. @returns what became of each */
async function race(perProcess: readonly unknown[][]): Promise<Outcome[]> {
  const racers = perProcess.map((commands) => {
    const script = join(import.meta.dirname, 'racer.mjs')
    const module = join(import.meta.dirname, '../../dist/client.js')
    const args = [script, redisUrl(), ns, module, JSON.stringify(commands)]
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    return { child, lines: linesOf(child) }
  })
  for (const { lines } of racers) expect(await lines.next()).toMatchObject({ value: 'ready' })
  for (const { child } of racers) child.stdin?.write('go\n')
  const outcomes = racers.map(async ({ lines }) => JSON.parse(String((await lines.next()).value)) as Outcome[])
  return (await Promise.all(outcomes)).flat()
}

const linesOf = (child: ChildProcess) => createInterface({ input: child.stdout as never })[Symbol.asyncIterator]()

async function outcomeOf(asked: Promise<CommandOutcome>): Promise<Outcome> {
  try {
    return { ok: await asked }
  } catch (error) {
    return { code: (error as { code?: string }).code ?? String(error) }
  }
}

describe('row 25: racing starts of one nickname', () => {
  it('let one win and tell all others, and never run two', { timeout: 180_000 }, async () => {
    const starts = FULL ? 1000 : 200
    const inProcesses = FULL ? 5 : 3
    for (let round = 0; round < (FULL ? 3 : 1); round++) {
      const nickname = `raced-${round}`
      const command = ['start', 'Numbers', nickname, {}, { timeoutMs: 120_000 }]
      const share = (i: number) => Math.floor(((i + 1) * starts) / inProcesses) - Math.floor((i * starts) / inProcesses)
      const all = await race(Array.from({ length: inProcesses }, (_, i) => new Array(share(i)).fill(command)))
      expect(all).toHaveLength(starts)
      const won = all.filter(({ ok }) => ok)
      const others = new Set(all.flatMap(({ code }) => code ?? []))
      await pause(500)
      const view = await client.show(nickname)
      measured(25, `${starts} racing starts from ${inProcesses} processes`, '1 wins', won.length, won.length === 1)
      measured(25, 'two runs of one nickname', '0 duplicates', heard.stale.length, heard.stale.length === 0)
      expect([...others]).toEqual(['NAME_TAKEN'])
      expect(won).toHaveLength(1)
      expect(view).toMatchObject({ status: 'started', epoch: won[0]?.ok?.epoch, restarts: 0 })
      expect(heard.epochOf(nickname)).toBe(view.epoch)
      await client.stop(nickname)
    }
    expect(heard.stale).toEqual([])
  })
})

describe('row 26: a stop that races', () => {
  const counts = FULL ? { start: 90, restart: 60, crash: 40, move: 10 } : { start: 7, restart: 4, crash: 3, move: 1 }
  let rounds = 0
  let right = 0
  let wrong: string[] = []

  /** The fleet comes to be, and stays, as the last accepted of the commands wants it. */
  async function judge(nickname: string, given: Record<string, Outcome>): Promise<void> {
    const accepted = Object.entries(given).flatMap(([name, { ok }]) => (ok ? [{ name, ...ok }] : []))
    const last = accepted.sort((a, b) => b.revision - a.revision)[0]
    const up = last !== undefined && !last.name.startsWith('stop')
    const told = `${nickname}: ${JSON.stringify(given)}`
    expect(last, told).toBeDefined()
    rounds++
    const fits = async () => {
      const [view] = (await client.list()).filter((worker) => worker.nickname === nickname)
      const running = view?.status === 'started'
      if ((view?.wanted ?? false) !== up || running !== up) return false
      return up || (await redis.hget(names.worker(nickname), 'running')) !== '1'
    }
    try {
      await until(fits, { what: `${up ? 'up' : 'stopped'} in the end: ${told}` })
      const epoch = heard.epochOf(nickname)
      const since = heard.since(nickname)
      await pause(150)
      if (!up && (heard.epochOf(nickname) !== epoch || heard.since(nickname) !== since)) throw new Error('it speaks')
      expect(await fits(), told).toBe(true)
      right++
    } catch (error) {
      wrong.push(String(error))
    }
  }

  const started = async (nickname: string) => {
    await client.start('Numbers', nickname, {}, { timeoutMs: 30_000 })
    await until(() => heard.epochOf(nickname))
  }
  const options = { timeoutMs: 30_000 }

  it('with a start', { timeout: 300_000 }, async () => {
    for (let i = 0; i < counts.start; i++) {
      const nickname = `start-${i % 5}`
      const startFirst = i % 2 === 0
      const start = () => outcomeOf(client.start('Numbers', nickname, {}, options))
      const stop = () => outcomeOf(client.stop(nickname, options))
      const first = startFirst ? start() : stop()
      await pause((i % 4) * 5)
      const then = startFirst ? stop() : start()
      const [a, b] = await Promise.all([first, then])
      await judge(nickname, startFirst ? { start: a, stop: b } : { stop: a, start: b })
      await client.stop(nickname)
    }
  })

  it('with a restart', { timeout: 300_000 }, async () => {
    for (let i = 0; i < counts.restart; i++) {
      const nickname = `restart-${i % 5}`
      await started(nickname)
      const restart = outcomeOf(client.restart(nickname, options))
      await pause((i % 5) * 10)
      const stop = outcomeOf(client.stop(nickname, options))
      await judge(nickname, { restart: await restart, stop: await stop })
    }
  })

  it('with a crash and the restart after it', { timeout: 300_000 }, async () => {
    for (let i = 0; i < counts.crash; i++) {
      const nickname = `crash-${i % 5}`
      await started(nickname)
      const { pid } = await client.show(nickname)
      process.kill(pid as number, 'SIGKILL')
      await pause((i % 6) * 15)
      await judge(nickname, { stop: await outcomeOf(client.stop(nickname, options)) })
    }
  })

  it('with its way to another node', { timeout: 300_000 }, async () => {
    for (let i = 0; i < counts.move; i++) {
      const crowd = ['move-a', 'move-b', 'move-c', 'move-d']
      for (const nickname of crowd) await started(nickname)
      const there = (await client.list()).filter((worker) => worker.wanted && worker.node === second.name)
      const moving = there.map(({ nickname }) => nickname).filter((nickname) => crowd.includes(nickname))
      process.kill(second.pid, i % 2 === 0 ? 'SIGTERM' : 'SIGKILL')
      await pause((i % 5) * 60)
      const stops = moving.map(async (nickname) => [nickname, await outcomeOf(client.stop(nickname, options))] as const)
      for (const [nickname, stop] of await Promise.all(stops)) await judge(nickname, { stop })
      for (const nickname of crowd.filter((one) => !moving.includes(one))) await client.stop(nickname)
      await second.exited
      second = await aNode()
    }
    measured(
      26,
      'the last accepted command wins',
      `100 % of ${rounds} rounds`,
      `${right} of ${rounds}`,
      right === rounds,
    )
    expect(wrong).toEqual([])
    wrong = []
    expect(heard.stale).toEqual([])
  })
})

/**
 * All keys of the namespace that a refused command must not add to: not the books that BullMQ keeps of what came, and
 * not what running workers write meanwhile.
 */
async function keys(): Promise<Set<string>> {
  const found = new Set<string>()
  for (const start of [`${ns}:`, `${ns}.`]) {
    for (let cursor = '0', first = true; first || cursor !== '0'; first = false) {
      const [next, some] = await redis.scan(cursor, 'MATCH', `${start}*`, 'COUNT', 1000)
      for (const key of some) found.add(key)
      cursor = next
    }
  }
  const others = [`${ns}:queue:${COMMAND_QUEUE}:`, `${ns}:queue:Monitor:`, `${ns}:queue:Numbers:`]
  const theirs = (key: string) =>
    others.some((other) => key.startsWith(other)) || /^.+:queue:\w+:(meta|stalled-check)$/.test(key)
  return new Set([...found].filter((key) => !theirs(key) && key !== names.writer))
}

/** Monitor's ticks go on meanwhile: what a node took by one call is remembered for three seconds. */
const isOfTicks = (key: string): boolean => key.startsWith(names.taken(''))
const added = async (before: Set<string>): Promise<string[]> =>
  [...(await keys())].filter((key) => !before.has(key) && !isOfTicks(key))

/** The desk has taken all jobs, and what they came to is told. */
async function queueEmpty(queue: Queue): Promise<void> {
  await until(async () => (await queue.getJobCountByTypes('waiting', 'active', 'delayed', 'prioritized')) === 0, {
    timeoutMs: FULL ? 120_000 : 20_000,
    what: 'all commands have been taken',
  }).catch(async (error: unknown) => {
    const left = await redis.lrange(`${names.queuePrefix}:${COMMAND_QUEUE}:active`, 0, 4)
    throw new Error(`left: ${left.join(' ')}\n${node.output().slice(-2000)}`, { cause: error })
  })
}

const deep = (levels: number, leaf = '1') => `${'{"a":'.repeat(levels)}${leaf}${'}'.repeat(levels)}`

describe('row 29: malformed commands', () => {
  const CORPUS = [
    ...['', 'null', '[]', '{}', '"', '\0', '{"type":"sys"', "(dp0\nS'type'", '\x80\x04\x95', '{"type":"sys"}', 'NaN'],
    '{"type":"sys","operation_name":"start_worker"}',
    '{"type":"sys","operation_name":"start_worker","kwargs":[]}',
    '{"type":"sys","operation_name":"start_worker","kwargs":{"worker_name":{},"nickname":[]}}',
    '{"type":"sys","operation_name":"start_worker","kwargs":{"worker_name":"Quiet","nickname":null}}',
    '{"type":"sys","operation_name":"__proto__","kwargs":{"nickname":"x"}}',
    '{"type":"sys","operation_name":"constructor","kwargs":{"nickname":"x"}}',
    '{"type":"sys","operation_name":"start_worker","kwargs":{"worker_name":"Quiet","nickname":"x","__proto__":{"a":1}}}',
    '{"__proto__":{"type":"sys","func":"shutdown"}}',
    '{"type":"sys","func":["shutdown"]}',
    `{"type":"sys","operation_name":"start_worker","kwargs":${deep(50_000)}}`,
    '['.repeat(200_000),
    `"${'x'.repeat(2_000_000)}"`,
  ]
  const raws = (): string[] => {
    const one = fc.oneof(fc.string(), fc.json(), fc.json({ maxDepth: 6 }), fc.constantFrom(...CORPUS.slice(0, -3)))
    return [...CORPUS, ...fc.sample(one, FULL ? 10_000 : 1000)]
  }

  it('on the raw channel are refused without a trace', { timeout: 300_000 }, async () => {
    await client.start('Numbers', 'witness')
    const before = await keys()
    const all = raws()
    for (const raw of all) await redis.publish(names.command, raw)
    const beats = (await client.nodes()).map(({ heart_beat }) => heart_beat)
    await until(async () => (await client.nodes()).every(({ heart_beat }, i) => heart_beat > (beats[i] ?? 0)))
    const written = await added(before)
    const { epoch, status } = await client.show('witness')
    measured(29, `${all.length} malformed raw commands`, '0 crashes, 0 keys', `${written.length} keys`, !written.length)
    expect(written).toEqual([])
    expect([status, epoch]).toEqual(['started', heard.epochOf('witness')])
    expect((await client.nodes()).map(({ pid }) => pid).sort()).toEqual([node.pid, second.pid].sort())
  })

  it('put on the queue by hand fail as jobs, with a code, and leave nothing else', { timeout: 300_000 }, async () => {
    const queue = new Queue(COMMAND_QUEUE, { connection: redis as never, prefix: names.queuePrefix })
    const data = fc.oneof(
      fc.jsonValue(),
      fc.record({ type: fc.jsonValue(), nickname: fc.jsonValue(), params: fc.jsonValue() }),
      fc.constantFrom(
        { type: 'Quiet', nickname: 'x', more: 1 },
        { type: 'Quiet', nickname: { toString: 1 } },
        { type: { toString: '' }, nickname: 'x', by: { valueOf: 1, toString: 1 } },
        { type: 'Nothing', nickname: 'ghost' },
        { type: 'Quiet', nickname: 'ghost', params: JSON.parse(deep(60)) },
        { type: 'Quiet', nickname: 'ghost', params: { fill: 'x'.repeat(200_000) } },
        { type: 'Quiet', nickname: 'ghost', params: JSON.parse('{"__proto__":{"a":1}}') },
        { type: 'Quiet', nickname: 'ghost', params: JSON.parse('{"constructor":{"prototype":{"a":1}}}') },
        { command: 'stop', nickname: '../x' },
        { command: 'restart', nickname: 'nobody' },
        { command: 'send', nickname: 'nobody', operation: 'x' },
        { command: '__proto__', nickname: 'x' },
        { command: 'start', revision: -1 },
        { command: 'start', type: 'Quiet', nickname: 'ghost', deadline: 1 },
      ),
    )
    const name = fc.constantFrom('start', 'stop', 'x', '__proto__', 'constructor', 'y'.repeat(10_000))
    const [done, failedBefore] = await Promise.all([queue.getCompletedCount(), queue.getFailedCount()])
    const jobs = fc.sample(fc.record({ name, data }), FULL ? 3000 : 300)
    const before = await keys()
    for (let i = 0; i < jobs.length; i += 100) await queue.addBulk(jobs.slice(i, i + 100) as never)
    for (const text of ['not json', '', deep(50_000), '[1', '"\\ud800"']) {
      const job = await queue.add('start', {}, { delay: 60_000 })
      await redis.hset(`${names.queuePrefix}:${COMMAND_QUEUE}:${job.id}`, 'data', text)
      await job.promote()
    }
    await queueEmpty(queue)
    const written = await added(before)
    const failed = await queue.getFailedCount()
    const jobsGiven = jobs.length + 5
    measured(29, `${jobsGiven} malformed jobs`, '0 crashes, 0 keys', `${written.length} keys`, !written.length)
    expect(written).toEqual([])
    expect(await queue.getCompletedCount()).toBe(done)
    // of those written by hand, two are no JSON
    expect(failed - failedBefore).toBe(jobsGiven - 2)
    for (const job of await queue.getFailed(0, 200)) expect(job.failedReason).toMatch(/^[A-Z_]+: /)
    expect((await client.show('witness')).epoch).toBe(heard.epochOf('witness'))
    expect((await client.nodes()).map(({ pid }) => pid).sort()).toEqual([node.pid, second.pid].sort())
    await client.stop('witness')
    await queue.close()
  })
})

describe('row 30: names that are none', () => {
  const NAMES = [
    '../x',
    'a*b',
    'a\nb',
    'a:b:c',
    'a.b',
    'x'.repeat(100_000),
    '🦊',
    '',
    ' ',
    '__proto__',
    '-x',
    'a b',
    'a\0b',
  ]

  it('are refused with a code wherever they come, and leave no key', { timeout: 60_000 }, async () => {
    const queue = new Queue(COMMAND_QUEUE, { connection: redis as never, prefix: names.queuePrefix })
    await queue.obliterate({ force: true })
    const before = await keys()
    for (const name of NAMES) {
      for (const asked of [
        client.start('Quiet', name),
        client.stop(name),
        client.restart(name),
        client.send(name, 'x'),
        client.show(name),
      ])
        await expect(asked, JSON.stringify(name.slice(0, 50))).rejects.toMatchObject({ code: 'BAD_NICKNAME' })
      await expect(client.start(name, 'fine')).rejects.toMatchObject({ code: 'BAD_TYPE' })
      await expect(client.start('Quiet', 'fine', JSON.parse('{"__proto__":1}'))).rejects.toMatchObject({
        code: 'BAD_PARAMS',
      })
      for (const kwargs of [
        { worker_name: 'Quiet', nickname: name },
        { worker_name: name, nickname: 'fine' },
        { worker_name: COMMAND_QUEUE, nickname: 'fine' },
      ])
        await redis.publish(names.command, JSON.stringify({ type: 'sys', operation_name: 'start_worker', kwargs }))
      await queue.add('start', { type: 'Quiet', nickname: name })
      await queue.add('start', { type: name, nickname: 'fine' })
      await queue.add('stop', { nickname: name })
      await queue.add(name || 'x', { type: COMMAND_QUEUE, nickname: 'fine' })
    }
    await expect(client.start(COMMAND_QUEUE, 'fine')).rejects.toMatchObject({ code: 'BAD_TYPE' })
    await queueEmpty(queue)
    const reasons = (await queue.getFailed()).map(({ failedReason }) => failedReason.split(':')[0])
    expect(new Set(reasons)).toEqual(new Set(['BAD_NICKNAME', 'BAD_TYPE', 'BAD_PARAMS']))
    expect(await queue.getCompletedCount()).toBe(0)
    const written = await added(before)
    measured(30, `${NAMES.length} names that are none, in four ways`, '0 keys written', written.length, !written.length)
    expect(written).toEqual([])
    await queue.close()
  })

  it.each(['active', 'meta', 'wait', 'constructor', 'toString'])(
    '%s is a nickname like any other',
    async (nickname) => {
      expect(await client.start('Numbers', nickname)).toMatchObject({ result: 'started' })
      await until(() => heard.epochOf(nickname))
      expect(await client.show(nickname)).toMatchObject({ nickname, status: 'started' })
      expect(await client.restart(nickname)).toMatchObject({ result: 'restarted' })
      expect(await client.stop(nickname)).toMatchObject({ result: 'stopped' })
    },
  )
})
