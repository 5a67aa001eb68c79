import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Client } from '../../src/client.js'
import { namesOf } from '../../src/redis/names.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const redis = connectRedis()

const QUIET = `import { defineProcessor } from 'hysas'
export default defineProcessor({ description: 'Does nothing, quietly.', start() {} })
`

/** A folder of processors of the test's own. */
function processorsFolder(files: Record<string, string>): string {
  const folder = join(temporaryFolder('hysas-processors'), 'processors')
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** Pub messages of a worker, as they come. */
async function hear(channel: string): Promise<string[]> {
  const subscriber = connectRedis()
  const heard: string[] = []
  subscriber.on('message', (_channel: string, raw: string) => heard.push(raw))
  await subscriber.subscribe(channel)
  return heard
}

function alive(pid: number | null): boolean {
  try {
    process.kill(pid ?? 0, 0)
    return true
  } catch {
    return false
  }
}

const status = async (client: Client, nickname: string) => (await client.show(nickname)).status

describe('one node', () => {
  it('starts Demo, which publishes a number a second, hears itself and has all fields of Info; and stops it', async () => {
    const ns = namespace()
    const names = namesOf(ns)
    await startNode({ namespace: ns })
    const client = await clientOf(ns)
    const heard = await hear(names.pub('Demo', 'DemoName'))
    const outcome = await client.start('Demo', 'DemoName', { everyMs: 50 })
    expect(outcome).toMatchObject({ type: 'Demo', nickname: 'DemoName', result: 'started' })
    await until(() => heard.length >= 5)
    expect(heard.slice(0, 3)).toEqual(['0', '1', '2'])
    const info = await until(async () => {
      const hash = await redis.hgetall(names.info('Demo', 'DemoName'))
      return Number(hash.received) > 0 ? hash : undefined
    })
    expect(Object.keys(info)).toEqual(
      expect.arrayContaining([
        'heart_beat',
        'nickname',
        'pid',
        'token',
        'heart_beat_interval',
        'status',
        'threads',
        'data_feeder',
        'type',
        'node',
        'epoch',
        'started_at',
        'published',
        'received',
        'memory_mb',
        'loop_delay_ms',
      ]),
    )
    expect(info).toMatchObject({ status: 'started', nickname: 'DemoName', type: 'Demo', pid: String(outcome.pid) })
    await expect(client.start('Demo', 'DemoName')).rejects.toMatchObject({
      code: 'NAME_TAKEN',
      details: { node: outcome.node },
    })
    expect(await client.stop('DemoName')).toMatchObject({ result: 'stopped', stop_info: 'stopped by command' })
    expect(await status(client, 'DemoName')).toBe('terminated')
    expect(await client.stop('DemoName')).toMatchObject({ result: 'unchanged' })
    expect(await client.start('Demo', 'DemoName')).toMatchObject({ result: 'started' })
  })

  it('brings a killed worker back with a later epoch, and ends what the command ends', async () => {
    const ns = namespace()
    await startNode({ namespace: ns })
    const client = await clientOf(ns)
    const first = await client.start('Demo', 'd')
    process.kill(first.pid as number, 'SIGKILL')
    const again = await until(async () => {
      const view = await client.show('d')
      return view.status === 'started' && view.pid !== first.pid ? view : undefined
    })
    expect(again.epoch).toBeGreaterThan(first.epoch as number)
    expect(again.restarts).toBe(1)
    const restarted = await client.restart('d')
    expect(restarted.epoch).toBeGreaterThan(again.epoch as number)
    expect((await client.show('d')).params).toEqual({})
    await client.stop('d')
    await until(() => !alive(restarted.pid), { what: 'the process gone' })
  })

  it('obeys raw messages on the channel of commands, as the ancestor did', async () => {
    const ns = namespace()
    const names = namesOf(ns)
    await startNode({ namespace: ns })
    const client = await clientOf(ns)
    const say = (message: unknown) => redis.publish(names.command, JSON.stringify(message))
    const kwargs = { worker_name: 'Demo', nickname: 'raw', everyMs: 70 }
    await say({ type: 'sys', operation_name: 'start_worker', kwargs })
    await until(async () => (await status(client, 'raw')) === 'started')
    expect((await client.show('raw')).params).toEqual({ everyMs: 70 })
    await say({ type: 'sys', operation_name: 'terminate_worker', kwargs: { nickname: 'raw' } })
    await until(async () => (await status(client, 'raw')) === 'terminated')
    await redis.publish(names.command, Buffer.from([0x80, 0x04, 0x95]))
    await say({ type: 'sys', operation_name: 'start_worker', kwargs: { worker_name: 'Demo', nickname: '../x' } })
    await say({ type: 'sys', func: 'eval' })
    await client.start('Demo', 'after')
    expect((await client.list()).map(({ nickname }) => nickname)).toEqual(['Monitor', 'after', 'raw'])
  })

  it('refuses what can not be: unknown types with the nearest names, wrong parameters with the key, wrong names', async () => {
    const ns = namespace()
    await startNode({ namespace: ns })
    const client = await clientOf(ns)
    await expect(client.start('Dmo', 'x')).rejects.toMatchObject({
      code: 'UNKNOWN_TYPE',
      message: expect.stringContaining('"Demo"'),
    })
    await expect(client.start('Demo', 'x', { everyMs: 'soon' })).rejects.toMatchObject({
      code: 'BAD_PARAMS',
      message: expect.stringContaining('everyMs'),
    })
    await expect(client.start('Demo', '../x')).rejects.toMatchObject({ code: 'BAD_NICKNAME' })
    await expect(client.start('Command', 'x')).rejects.toMatchObject({ code: 'BAD_TYPE' })
    await expect(client.stop('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_WORKER' })
    await expect(client.stop('Monitor')).rejects.toMatchObject({ code: 'PROTECTED_WORKER' })
    expect((await client.list()).map(({ nickname }) => nickname)).toEqual(['Monitor'])
    expect(await client.start('Demo', 'active')).toMatchObject({ result: 'started' })
  })

  it('takes a new file as a type, reports a broken one, and runs an edited one at the next start', async () => {
    const ns = namespace()
    const names = namesOf(ns)
    const says = (word: string) => `import { defineProcessor } from 'hysas'
export default defineProcessor({ async produce(ctx) { while (!ctx.signal.aborted) { await ctx.publish('${word}'); await ctx.sleep(20) } } })`
    const folder = processorsFolder({})
    await startNode({ namespace: ns, processors: [folder] })
    const client = await clientOf(ns)
    writeFileSync(join(folder, 'Fresh.ts'), says('one'))
    await until(async () => (await client.types()).some(({ type, version }) => type === 'Fresh' && version), {
      timeoutMs: 5000,
    })
    const heard = await hear(names.pub('Fresh', 'f'))
    await client.start('Fresh', 'f')
    await until(() => heard.includes('one'))
    const version = (await client.types()).find(({ type }) => type === 'Fresh')?.version
    writeFileSync(join(folder, 'Fresh.ts'), says('two'))
    await until(async () => (await client.types()).find(({ type }) => type === 'Fresh')?.version !== version)
    expect(heard).not.toContain('two')
    await client.restart('f')
    await until(() => heard.includes('two'))
    writeFileSync(join(folder, 'Fresh.ts'), 'export default {')
    await until(async () => (await client.types()).find(({ type }) => type === 'Fresh')?.error)
    await client.restart('f')
    heard.length = 0
    await until(() => heard.includes('two'))
  })

  it('tells the error of a first run that fails, keeps trying, and gives up where the processor says so', async () => {
    const ns = namespace()
    const folder = processorsFolder({
      'Fails.ts': `import { defineProcessor } from 'hysas'
export default defineProcessor({ restart: { minDelayMs: 10, giveUpAfter: 3 }, start() { throw new Error('no such device') } })`,
    })
    await startNode({ namespace: ns, processors: [folder] })
    const client = await clientOf(ns)
    await expect(client.start('Fails', 'f')).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('no such device'),
    })
    const view = await until(async () => {
      const view = await client.show('f')
      return view.status === 'failed' ? view : undefined
    })
    expect(view.error_msg).toContain('no such device')
    expect(view.wanted).toBe(false)
    expect(view.restarts).toBe(3)
  })

  it('calls operations and gives back what they return', async () => {
    const ns = namespace()
    const folder = processorsFolder({
      'Adder.ts': `import { defineProcessor } from 'hysas'
import { z } from 'zod'
export default defineProcessor({ operations: { add: { args: z.object({ a: z.number(), b: z.number() }), run: (_ctx, { a, b }) => ({ sum: a + b }) } } })`,
    })
    await startNode({ namespace: ns, processors: [folder] })
    const client = await clientOf(ns)
    await client.start('Adder', 'adder')
    expect(await client.send('adder', 'add', { a: 2, b: 3 })).toEqual({ sum: 5 })
    await expect(client.send('adder', 'add', { a: 'x', b: 3 })).rejects.toMatchObject({ code: 'BAD_ARGS' })
    await expect(client.send('adder', 'ad', {})).rejects.toMatchObject({ code: 'UNKNOWN_OPERATION' })
    await expect(client.send('nobody', 'add', {})).rejects.toMatchObject({ code: 'UNKNOWN_WORKER' })
  })

  it('runs a repeatable worker tick by tick in one child, and ends it when it is stopped', async () => {
    const ns = namespace()
    const folder = processorsFolder({
      'Ticks.ts': `import { defineProcessor } from 'hysas'
let n = 0
export default defineProcessor({ every: 100, async tick(ctx) { await ctx.publish(n++) } })`,
    })
    await startNode({ namespace: ns, processors: [folder] })
    const client = await clientOf(ns)
    const heard = await hear(namesOf(ns).pub('Ticks', 't'))
    const { epoch } = await client.start('Ticks', 't')
    await until(() => heard.length >= 10)
    expect(heard.slice(0, 10)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    expect(await client.show('t')).toMatchObject({ status: 'started', epoch, kind: 'repeatable' })
    await client.stop('t')
    expect(await status(client, 't')).toBe('terminated')
    const count = heard.length
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(heard.length).toBe(count)
  })
})

describe('several nodes', () => {
  it('share twenty workers, and a node that is killed loses its workers to the other within seconds', async () => {
    const ns = namespace()
    const folder = processorsFolder({ 'Quiet.ts': QUIET })
    const [a, b] = await Promise.all([
      startNode({ namespace: ns, name: 'a', processors: [folder] }),
      startNode({ namespace: ns, name: 'b', processors: [folder] }),
    ])
    const client = await clientOf(ns)
    await Promise.all(Array.from({ length: 20 }, (_, i) => client.start('Quiet', `w${i}`, {}, { timeoutMs: 30_000 })))
    const on = async (node: string) =>
      (await client.list()).filter(
        (worker) => worker.type === 'Quiet' && worker.node === node && worker.status === 'started',
      )
    expect((await on('a')).length).toBeGreaterThanOrEqual(7)
    expect((await on('b')).length).toBeGreaterThanOrEqual(7)
    const pids = (await on('a')).map(({ pid }) => pid)
    await a.kill()
    await until(async () => (await on('b')).length === 20, { timeoutMs: 15_000, what: 'all on b' })
    expect(pids.filter(alive)).toEqual([])
    await b.stop()
  })

  it('hand their workers over when they end in order', async () => {
    const ns = namespace()
    const folder = processorsFolder({ 'Quiet.ts': QUIET })
    const [a] = await Promise.all([
      startNode({ namespace: ns, name: 'a', processors: [folder] }),
      startNode({ namespace: ns, name: 'b', processors: [folder] }),
    ])
    const client = await clientOf(ns)
    for (let i = 0; i < 6; i++) await client.start('Quiet', `w${i}`)
    await a.stop()
    await until(
      async () =>
        (await client.list()).filter(
          ({ type, node, status }) => type === 'Quiet' && node === 'b' && status === 'started',
        ).length === 6,
    )
    expect(await client.shutdown()).toEqual(['b'])
    expect((await client.list()).filter(({ wanted }) => wanted)).toHaveLength(7)
  })

  it('end each of 100 nicknames as the last of its commands said, sent at once to three nodes', async () => {
    const ns = namespace()
    const folder = processorsFolder({ 'Quiet.ts': QUIET })
    await Promise.all(['a', 'b', 'c'].map((name) => startNode({ namespace: ns, name, processors: [folder] })))
    const client = await clientOf(ns)
    const nicknames = Array.from({ length: 100 }, (_, i) => `p${i}`)
    await Promise.all(
      nicknames.map(async (nickname, i) => {
        await client.start('Quiet', nickname, {}, { noWait: true })
        await client.stop(nickname, { noWait: true })
        if (i % 10 === 0) await client.start('Quiet', nickname, {}, { noWait: true })
      }),
    )
    const settled = async () => {
      const workers = new Map((await client.list()).map((worker) => [worker.nickname, worker]))
      return nicknames.every((nickname, i) => {
        const worker = workers.get(nickname)
        return i % 10 === 0
          ? worker?.status === 'started'
          : !worker?.wanted && worker?.status !== 'started' && worker?.status !== 'init'
      })
    }
    await until(settled, { timeoutMs: 80_000 })
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await settled()).toBe(true)
  }, 120_000)
})
