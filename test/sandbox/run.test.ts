import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../helpers/folder.js'
import { until } from '../helpers/until.js'
import { ISOLATIONS, listen, playNode, startWorker } from './harness.js'

describe.each(ISOLATIONS)('%s isolation:', (isolation) => {
  const node = playNode({ isolation, databases: { raw: `sqlite:${join(temporaryFolder(), 'raw.db')}` } })
  const { names, redis } = node

  const PUBLISHER = `
  import { defineProcessor } from 'hysas'
  let n = 0
  export default defineProcessor({
    heartbeatSeconds: 0.2,
    async start(ctx) { await ctx.redis.set(ctx.namespace + ':started', String(ctx.epoch)) },
    async produce(ctx) {
      while (!ctx.signal.aborted) {
        await ctx.publish({ n: n++ })
        ctx.progress({ n })
        await ctx.sleep(20)
      }
    },
    async beforeTermination(ctx, reason) { await ctx.publish('bye ' + reason) },
  })`

  test('a run claims its name, publishes raw, beats with every field, and ends as commanded', async () => {
    const heard = await listen(redis, names.pub('Probe', 'life'))
    const beats = await listen(redis, names.info('Probe', 'life'))
    const { child, info, key } = await startWorker(node, PUBLISHER, { nickname: 'life' })
    await until(() => child.said('started'))
    const claimed = child.said('claimed')
    await until(() => beats.length > 4 && heard.length > 3)
    expect(heard[0]).toBe('{"n":0}')
    expect(JSON.parse(heard[3] ?? '')).toEqual({ n: 3 })
    expect(await redis.get(`${names.namespace}:started`)).toBe(String(claimed?.epoch))

    const fields = await until(async () => {
      const all = await info()
      return Number(all.published) > 0 ? all : undefined
    })
    expect(fields).toMatchObject({
      type: 'Probe',
      nickname: 'life',
      status: 'started',
      node: 'n1',
      pid: String(child.process.pid),
      token: claimed?.token,
      epoch: String(claimed?.epoch),
      heart_beat_interval: '0.2',
      errors: '0',
      error_msg: '',
      data_feeder: '[]',
      dropped: '0',
    })
    expect(JSON.parse(fields.threads ?? '')).toEqual({ start: 'done', produce: 'running', command: 'running' })
    for (const name of ['heart_beat', 'started_at', 'memory_mb', 'loop_delay_ms', 'version', 'progress']) {
      expect(fields[name], name).toMatch(/./)
    }
    expect(Math.abs(Number(fields.heart_beat) - Date.now() / 1000)).toBeLessThan(5)
    expect(JSON.parse(beats.at(-1) ?? '')).toMatchObject({
      nickname: 'life',
      status: 'started',
      threads: { start: 'done' },
    })
    expect(await redis.zscore(names.beats, 'Probe.life')).toBeTruthy()
    const stats = await until(() => child.messages.findLast(({ hysas }) => hysas === 'stats')?.stats)
    expect(stats).toMatchObject({ status: 'started' })
    expect(child.messages.some(({ cmd }) => cmd === 8)).toBe(true)

    child.cancel('stop')
    expect(await child.result()).toEqual({ value: { how: 'stopped', nickname: 'life' } })
    expect(heard.at(-1)).toBe('bye stop')
    expect(await info()).toMatchObject({ status: 'terminated', stop_info: 'stopped by command' })
    expect(Number((await info()).published)).toBe(heard.length)
    expect(await redis.hget(key, 'running')).toBe('0')
    expect(await redis.zscore(names.beats, 'Probe.life')).toBeNull()
  })

  test('a run that a later one has replaced ends and publishes nothing more', async () => {
    const heard = await listen(redis, names.pub('Probe', 'stale'))
    const { child, key } = await startWorker(node, PUBLISHER, { nickname: 'stale' })
    await until(() => heard.length > 2)
    await redis.hset(key, 'token', 'someone-else')
    const count = heard.length
    expect(await child.result()).toEqual({ value: { how: 'stale', nickname: 'stale' } })
    expect(heard.slice(count + 1)).toEqual([]) // one may have been on its way
    expect(heard).not.toContain('bye stop')
    expect(await redis.hget(key, 'running')).toBe('1')
  })

  test('a job that nobody wants, or whose lock is lost, is not run', async () => {
    const compiled = await node.compile(PUBLISHER)
    const [first, second] = await Promise.all([node.child(), node.child()])
    const unwanted = await node.want('Probe', 'unwanted')
    await redis.hset(names.worker('unwanted'), 'wanted', '0')
    const lost = await node.want('Probe', 'lost')
    await redis.set(names.jobLock('Probe', lost.id), 'another')
    await Promise.all([first.load(compiled), second.load(compiled)])
    first.start(unwanted)
    second.start(lost)
    expect(await first.result()).toEqual({ value: { how: 'unwanted', nickname: 'unwanted' } })
    expect(await second.result()).toEqual({ value: { how: 'lost', nickname: 'lost' } })
  })

  test('a run waits for the one before to end', async () => {
    const first = await startWorker(node, PUBLISHER, { nickname: 'pair' })
    await until(() => first.child.said('started'))
    const second = await startWorker(node, PUBLISHER, { nickname: 'pair' })
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(second.child.said('claimed')).toBeUndefined()
    first.child.cancel('restart')
    expect(await first.child.result()).toEqual({ value: { how: 'restarted', nickname: 'pair' } })
    await until(() => second.child.said('started'))
    expect(second.child.said('claimed')?.epoch).toBeGreaterThan(first.child.said('claimed')?.epoch ?? 0)
    second.child.cancel('handover')
    expect(await second.child.result()).toEqual({ value: { how: 'handover', nickname: 'pair' } })
    expect(await second.info()).toMatchObject({ status: 'restarting' })
  })

  test('parameters are checked by the processor itself, with its defaults filled in', async () => {
    const source = `
    import { defineProcessor } from 'hysas'
    import { z } from 'zod'
    export default defineProcessor({
      params: z.object({ everyMs: z.number().default(7), to: z.string().email() }),
      async produce(ctx) { await ctx.publish(ctx.params) },
    })`
    const heard = await listen(redis, names.pub('Probe', 'good'))
    const good = await startWorker(node, source, { nickname: 'good', params: { to: 'a@b.org' } })
    expect(await good.child.result()).toEqual({ value: { how: 'done', nickname: 'good' } })
    expect(heard).toEqual(['{"everyMs":7,"to":"a@b.org"}'])
    expect(await good.info()).toMatchObject({ status: 'terminated', stop_info: 'work done' })

    const bad = await startWorker(node, source, { nickname: 'bad', params: { to: 7 } })
    const answer = await bad.child.result()
    expect(answer).toMatchObject({ failure: { refused: true, code: 'BAD_PARAMS' } })
    expect('failure' in answer && answer.failure.message).toMatch(/to: .*string/)
    expect(await bad.info()).toMatchObject({ status: 'failed' })
    expect(await redis.hget(bad.key, 'wanted')).toBe('0')
  })

  test('an error of a hook ends the run with its stack, after beforeTermination', async () => {
    const source = `
    import { defineProcessor } from 'hysas'
    export default defineProcessor({
      async produce(ctx) { await ctx.sleep(50); throw new Error('no more wood', { cause: new Error('the forest is gone') }) },
      beforeTermination(ctx, reason) { ctx.log.info({ reason }, 'ending') },
    })`
    const { child, info } = await startWorker(node, source, { nickname: 'failing' })
    const answer = await child.result()
    expect(answer).toMatchObject({ failure: { message: 'no more wood', name: 'Error' } })
    expect('failure' in answer && answer.failure.stack).toMatch(
      /no more wood[\s\S]*Probe\.ts[\s\S]*Caused by: .*the forest/,
    )
    await until(() => child.log.find(({ msg, reason }) => msg === 'ending' && reason === 'error'))
    expect(await info()).toMatchObject({ status: 'started', errors: '1' }) // how it comes back is the node's to decide
    expect((await info()).error_msg).toMatch(/no more wood/)
  })

  test('the log goes to its own descriptor with type, nickname and epoch; what is printed stays on stdout', async () => {
    const source = `
    import { defineProcessor } from 'hysas'
    export default defineProcessor({
      produce(ctx) {
        console.log('printed')
        ctx.log.debug('too quiet')
        ctx.log.info({ a: 1, password: 'x' }, 'logged')
        ctx.log.info('y'.repeat(500_000))
      },
    })`
    const { child } = await startWorker(node, source, { nickname: 'talker' })
    await child.result()
    await until(() => child.output.includes('printed'))
    const epoch = child.said('claimed')?.epoch
    await until(() => child.log.length === 2)
    expect(child.log[0]).toMatchObject({ level: 30, type: 'Probe', nickname: 'talker', epoch, a: 1, msg: 'logged' })
    expect(child.log[0]?.password).toBe('[redacted]')
    expect(child.log[1]).toMatchObject({ nickname: 'talker', cutFromBytes: expect.any(Number) })
  })

  test('what is left of a run that has ended opens no connection any more', async () => {
    const source = `
    import { defineProcessor } from 'hysas'
    export default defineProcessor({
      start(ctx) {
        setInterval(() => ctx.database('raw').then(() => console.log('opened'), (error) => console.log(error.code)), 50)
      },
    })`
    const { child } = await startWorker(node, source, { nickname: 'leftover' })
    await until(() => child.output.includes('opened'))
    child.cancel('stop')
    await child.result()
    await until(() => child.output.includes('STALE_RUN')) // as long as there is a process
  })

  test('a worker without produce lives until it is stopped, and a stop does not wait longer than the grace period', async () => {
    const source = `
    import { defineProcessor } from 'hysas'
    export default defineProcessor({
      graceSeconds: 1,
      start() {},
      produce: () => new Promise(() => {}),
      beforeTermination: () => new Promise(() => {}),
    })`
    const { child, info } = await startWorker(node, source, { nickname: 'stubborn' })
    await until(() => child.said('started'))
    const began = Date.now()
    child.cancel('stop')
    expect(await child.result()).toEqual({ value: { how: 'stopped', nickname: 'stubborn' } })
    expect(Date.now() - began).toBeLessThan(2000) // each of the two would have waited as long
    expect(await info()).toMatchObject({ status: 'terminated' })
    expect(child.log.map(({ msg }) => msg)).toEqual([
      'Not ended in time: produce.',
      'beforeTermination did not end in time.',
    ])
  })
})
