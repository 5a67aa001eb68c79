import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { namesOf } from '../../src/redis/names.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

/** A fleet of one node, whose processors the test may edit. */
async function edited(source: string) {
  const ns = namespace()
  const folder = join(temporaryFolder('hysas-edited'), 'processors')
  mkdirSync(folder)
  const write = (text: string) =>
    writeFileSync(
      join(folder, 'Edited.ts'),
      `import { defineProcessor } from 'hysas'\nimport { z } from 'zod'\n${text}`,
    )
  write(source)
  const node = await startNode({ namespace: ns, processors: [folder] })
  return { ns, names: namesOf(ns), redis: connectRedis(), folder, write, node, client: await clientOf(ns) }
}

test('a repeatable file that is edited has a process of its own for its new version, and the old one is ended', async () => {
  const notes = join(temporaryFolder('hysas-edited'), 'notes')
  const source = (version: number) => `import { appendFileSync } from 'node:fs'
    setInterval(() => appendFileSync('${notes}', '${version} ' + process.pid + '\\n'), 20)
    export default defineProcessor({ every: 100, async tick(ctx) { await ctx.publish(${version}) } })`
  const { write, client, redis, names } = await edited(source(1))
  writeFileSync(notes, '')
  const { pid } = await client.start('Edited', 'one')
  const last = () => readFileSync(notes, 'utf8').trim().split('\n').at(-1) ?? ''
  const info = () => redis.hgetall(names.info('Edited', 'one'))
  await until(async () => Number((await info()).ticks) >= 3)
  expect(last()).toBe(`1 ${pid}`)
  write(source(2))
  await until(() => last().startsWith('2 '))
  const { pid: later } = await until(async () => {
    const now = await info()
    return now.pid !== String(pid) ? now : undefined
  })
  const channel = names.workerCommand('Edited', 'one')
  await until(async () => (await redis.pubsub('NUMSUB', channel))[1] === 1)
  await until(async () => {
    writeFileSync(notes, '')
    await until(() => readFileSync(notes, 'utf8').split('\n').length > 10)
    return readFileSync(notes, 'utf8')
      .trim()
      .split('\n')
      .every((line) => line === `2 ${later}`)
  })
  expect(await info()).toMatchObject({ status: 'started', errors: '0' })
})

test.each([
  ['ticking', 'async tick() {}'],
  ['at a long tick', 'async tick(ctx) { await ctx.sleep(2500) }'],
])(
  'a repeatable worker (%s) whose file becomes a long-running one has one run, and no ticks any more',
  async (_, tick) => {
    const { write, client, redis, names } = await edited(`export default defineProcessor({ every: 200, ${tick} })`)
    await client.start('Edited', 'one')
    await until(async () => Number(await redis.hget(names.info('Edited', 'one'), 'ticks')) > 0)
    write(`export default defineProcessor({
    async produce(ctx) {
      for (; !ctx.signal.aborted; await ctx.sleep(20)) await ctx.publish(ctx.epoch)
    },
  })`)
    const heard: number[] = []
    const subscriber = connectRedis()
    subscriber.on('message', (_channel: string, text: string) => heard.push(Number(text)))
    await subscriber.subscribe(names.pub('Edited', 'one'))
    await until(() => heard.length > 50) // a second, in which there were five ticks
    expect(new Set(heard).size).toBe(1)
    const queue = `${names.queuePrefix}:Edited`
    const active = await redis.lrange(`${queue}:active`, 0, -1)
    expect(active).toEqual([expect.stringMatching(/^w-one\./)])
    expect(await redis.zcard(`${queue}:repeat`)).toBe(0)
    expect(await redis.zcard(`${queue}:delayed`)).toBe(0)
    expect(await client.show('one')).toMatchObject({ status: 'started', kind: 'long-running', epoch: heard[0] })

    write('export default defineProcessor({ every: 100, async tick() {} })')
    await until(async () => (await client.types()).find(({ type }) => type === 'Edited')?.kind === 'repeatable')
    await client.restart('one')
    await until(async () => Number(await redis.hget(names.info('Edited', 'one'), 'ticks')) >= 3)
    expect(await client.show('one')).toMatchObject({ kind: 'repeatable' })
    expect((await redis.keys(`${queue}:w-*`)).length).toBe(0)
  },
)

const PARAMS = (key: string) => `params: z.looseObject({ ${key}: z.number() })`

test('a long-running worker whose edited file refuses its parameters waits for the mending, however long that takes', async () => {
  const source = (key: string) => `export default defineProcessor({
    ${PARAMS(key)},
    restart: { minDelayMs: 50, maxDelayMs: 200, giveUpAfter: 2 },
    async start(ctx) { await ctx.publish('here') },
  })`
  const { write, client, redis, names } = await edited(source('a'))
  const { pid } = await client.start('Edited', 'one', { a: 1 })
  const info = () => redis.hgetall(names.info('Edited', 'one'))
  await until(() => redis.hget(names.worker('one'), 'proven'))
  write(source('b'))
  await until(async () =>
    JSON.stringify((await client.types()).find(({ type }) => type === 'Edited')).includes('["b"]'),
  )
  process.kill(Number(pid), 'SIGKILL')
  await until(async () => Number(await redis.hget(names.worker('one'), 'crashes')) >= 4, { timeoutMs: 20_000 })
  expect(await redis.hmget(names.worker('one'), 'wanted', 'last_error')).toEqual([
    '1',
    expect.stringMatching(/b: .*missing|b/),
  ])
  write(source('a'))
  await until(async () => (await info()).status === 'started', { timeoutMs: 20_000 })
  await client.stop('one')
})

test('a repeatable worker whose edited file refuses its parameters fails at each tick, until it is mended', async () => {
  const source = (key: string) => `export default defineProcessor({ ${PARAMS(key)}, every: 100, async tick() {} })`
  const { write, client, redis, names } = await edited(source('a'))
  await client.start('Edited', 'one', { a: 1 })
  const info = () => redis.hgetall(names.info('Edited', 'one'))
  const ticks = async (more: number) => {
    const { ticks = 0, epoch } = await info()
    await until(async () => {
      const now = await info()
      return Number(now.ticks) >= more + (now.epoch === epoch ? Number(ticks) : 0)
    })
  }
  await until(() => redis.hget(names.worker('one'), 'proven'))
  await ticks(3)
  write(source('b'))
  await until(async () => Number((await info()).errors) >= 5)
  const { pid, epoch, error_msg, status } = await info()
  expect([status, await redis.hget(names.worker('one'), 'wanted')]).toEqual(['started', '1'])
  expect(error_msg).toMatch(/do not fit Edited: b/)
  await ticks(3)
  expect(await info()).toMatchObject({ pid, epoch }) // in the same child
  write(source('a'))
  await until(async () => (await info()).epoch !== epoch)
  const { errors } = await info()
  await ticks(3)
  expect((await info()).errors).toBe(errors)
})

test.each(['every: 100, async tick() {}', 'async produce() {}'])(
  'a worker that was never at work with its parameters is withdrawn where its file refuses them: %s',
  async (work) => {
    const refine = 'params: z.object({ a: z.number() }).refine(() => false, "never"),'
    const { client, redis, names } = await edited(`export default defineProcessor({ ${refine} ${work} })`)
    await client.start('Edited', 'one', { a: 1 }).catch(() => {})
    await until(async () => (await redis.hget(names.worker('one'), 'wanted')) === '0')
    expect(await redis.hget(names.info('Edited', 'one'), 'status')).toBe('failed')
  },
)
