import { describe, expect, test } from 'vitest'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { ISOLATIONS, type PlayedChild, playNode, startWorker } from './harness.js'

describe.each(ISOLATIONS)('%s isolation:', (isolation) => {
  const node = playNode({ isolation })
  const { names, redis } = node

  const EARS = `
  import { defineProcessor } from 'hysas'
  export default defineProcessor({
    heartbeatSeconds: 0.1,
    subscribe: [{ type: 'Mouth' }, { nickname: 'b' }, { channel: 'raw-${names.namespace}' }, { channel: 'foreign-${names.namespace}' }],
    receive() {},
  })`
  const MOUTH = `
  import { defineProcessor } from 'hysas'
  export default defineProcessor({
    start() {},
    operations: {
      say: { run: (ctx, { count, channel }) => Promise.all(Array.from({ length: count }, () => ctx.publish('x', channel ? { channel } : {}))).then((all) => all.length) },
    },
  })`

  async function mouth(nickname: string) {
    const { child } = await startWorker(node, MOUTH, { nickname, file: 'Mouth.ts' })
    await until(() => child.said('started'))
    return async (count: number, channel?: string) => {
      const published = async () => Number(await redis.hget(names.published, channel ?? names.pub('Mouth', nickname)))
      const before = await published()
      const message = { type: 'sys', operation_name: 'say', kwargs: { count, channel } }
      await redis.publish(names.workerCommand('Mouth', nickname), JSON.stringify(message))
      await until(async () => (await published()) === before + count)
    }
  }

  /** Cuts the worker's subscriptions off, and lets `meanwhile` happen before they are back. */
  async function cutOff(nickname: string, { process }: PlayedChild, meanwhile: () => Promise<unknown>): Promise<void> {
    const list = String(await redis.client('LIST'))
    const name = `hysas:subscriber:${isolation === 'shared' ? `n1-${process.pid}` : nickname} `
    const line = list.split('\n').find((one) => one.includes(`name=${name}`))
    const id = /^id=(\d+)/.exec(line ?? '')?.[1] ?? ''
    await redis.client('KILL', 'ID', id)
    await meanwhile()
  }

  test('what is published while a worker is cut off is counted as lost, by channel, and nothing else is', async () => {
    const a = await mouth('a')
    const b = await mouth('b')
    await a(7) // before anybody hears it
    const ears = await startWorker(node, EARS, { nickname: 'cut-ears' })
    await until(() => ears.child.said('started'))
    await new Promise((resolve) => setTimeout(resolve, 100)) // the first mark
    const raw = `raw-${names.namespace}`
    await a(100)
    await b(10)
    await a(3, raw)
    await redis.publish(`foreign-${names.namespace}`, 'not of a worker')
    await until(async () => (await ears.info()).received === '114')
    expect(await ears.info()).toMatchObject({ lost: '0' })
    expect((await ears.info()).lost_by).toBeUndefined()

    // the child stands still, so that it can't be back before all is said
    ears.child.process.kill('SIGSTOP')
    await cutOff('cut-ears', ears.child, async () => {
      await a(1000)
      await a(5, raw)
      const c = await mouth('c') // nobody has heard of it before
      await c(9)
      await redis.publish(`foreign-${names.namespace}`, 'not of a worker')
    })
    ears.child.process.kill('SIGCONT')
    await until(async () => (await ears.info()).lost === '1014', { what: 'all is counted' })
    const info = await ears.info()
    expect(JSON.parse(info.lost_by ?? '')).toEqual({
      [names.pub('Mouth', 'a')]: 1000,
      [names.pub('Mouth', 'c')]: 9,
      [raw]: 5,
    })
    const [gap] = JSON.parse(info.gaps ?? '')
    expect(gap.to).toBeGreaterThan(gap.from)
    expect(Math.abs(gap.to - Number(info.heart_beat))).toBeLessThan(10)

    await a(50)
    await until(async () => (await ears.info()).received === '164')
    await cutOff('cut-ears', ears.child, async () => {})
    await until(async () => JSON.parse((await ears.info()).gaps ?? '')[1]?.to)
    await a(6)
    await until(async () => Number((await ears.info()).received) + Number((await ears.info()).lost) === 164 + 1014 + 6)
  })

  test('a source that is heard from now on begins with nothing lost, and one that is heard no more loses nothing', async () => {
    const say = await mouth('later')
    await say(20)
    const source = `
    import { defineProcessor } from 'hysas'
    let subscription
    export default defineProcessor({
      heartbeatSeconds: 0.1,
      start() {},
      operations: {
        listen: { run: async (ctx) => void (subscription = await ctx.subscribe({ nickname: 'later' }, () => {})) },
        deafen: { run: () => subscription.unsubscribe() },
      },
    })`
    const { info, child } = await startWorker(node, source, { nickname: 'moody' })
    await until(() => child.said('started'))
    const tell = async (operation_name: string, hears: number) => {
      await redis.publish(names.workerCommand('Probe', 'moody'), JSON.stringify({ type: 'sys', operation_name }))
      await until(async () => JSON.parse((await info()).data_feeder ?? '[]').length === hears)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    for (let round = 1; round <= 3; round++) {
      await tell('listen', 1)
      await say(5)
      await until(async () => (await info()).received === String(5 * round))
      await tell('deafen', 0)
      await say(1000)
    }
    await tell('listen', 1)
    await cutOff('moody', child, async () => {})
    await until(async () => JSON.parse((await info()).gaps ?? '[]')[0]?.to)
    await say(1)
    await until(async () => Number((await info()).received) + Number((await info()).lost) === 16)
  })

  test('the index holds channels by type and nickname, each of them once, and which others are counted', async () => {
    const own = connectRedis(node.url)
    const members = await own.zrange(names.channels, '0', '-1')
    for (const nickname of ['a', 'b', 'c']) {
      expect(members).toContain(`t Mouth ${names.pub('Mouth', nickname)}`)
      expect(members).toContain(`n ${nickname} ${names.pub('Mouth', nickname)}`)
    }
    expect(members.filter((member) => member.includes('raw-'))).toEqual([`o raw-${names.namespace}`])
  })
})
