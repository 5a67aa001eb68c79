import { expect, test } from 'vitest'
import { startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { listen, playNode, startWorker } from './harness.js'

const SOURCE = `
  import { defineProcessor } from 'hysas'
  export default defineProcessor({
    heartbeatSeconds: 0.1,
    subscribe: ({ nickname }) => ({ channel: 'to-' + nickname }),
    async produce(ctx) { for (let n = 0; !ctx.signal.aborted; n++) { await ctx.publish(n); await ctx.sleep(10) } },
    receive: (ctx, m) => ctx.log.info({ data: m.data }, 'heard'),
  })`

test('a worker outlives a restart of Redis: it publishes, hears and beats on, and tells its node meanwhile', async () => {
  const server = await startRedis({ appendonly: true })
  const node = playNode({ url: server.url })
  const heard = await listen(node.redis, node.names.pub('Probe', 'tough'))
  const { child, info } = await startWorker(node, SOURCE, { nickname: 'tough' })
  await until(() => heard.length > 10)
  await until(async () => (await info()).status === 'started')
  await server.kill()
  const stats = () => child.messages.filter(({ hysas }) => hysas === 'stats').length
  const before = stats()
  await until(() => stats() > before + 3, { what: 'numbers for the node while Redis is away' })
  await server.restart()
  const count = heard.length
  await until(() => heard.length > count + 10)
  await until(async () => {
    await node.redis.publish('to-tough', '"again"')
    return child.log.some(({ data }) => data === 'again')
  })
  const beat = Number((await info()).heart_beat)
  await until(async () => Number((await info()).heart_beat) > beat)
  const numbers = heard.map(Number)
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
  expect(child.messages.filter(({ cmd }) => cmd === 0 || cmd === 2)).toEqual([])
})

test('a worker that is stopped while Redis is away ends by a signal at the latest', async () => {
  const server = await startRedis()
  const node = playNode({ url: server.url })
  const { child } = await startWorker(node, SOURCE, { nickname: 'cut-off' })
  await until(() => child.said('started'))
  await server.kill()
  child.cancel('stop')
  await new Promise((resolve) => setTimeout(resolve, 300))
  child.process.kill('SIGTERM')
  expect(await child.exited).toEqual({ code: 0, signal: null })
})
