import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { connectRedis, startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

it('a fleet that could not be put back at first, after Redis came back empty, is put back later', async () => {
  const ns = namespace()
  const names = namesOf(ns)
  const server = await startRedis()
  const redis = connectRedis(server.url)
  const node = await startNode({ namespace: ns, url: server.url })
  const client = await clientOf(ns, server.url)
  for (const nickname of ['one', 'two']) await client.start('Demo', nickname)
  const epochs = new Map((await client.list()).map(({ nickname, epoch }) => [nickname, epoch ?? 0]))

  // in one step: what the node has to read before all else is of another kind
  await redis.multi().flushall().set(names.store, 'in the way').exec()
  await until(() => /is not put back yet/.test(node.output()), { timeoutMs: 15_000, what: 'it could not be put back' })
  await redis.del(names.store)
  const back = async () => (await client.list()).filter(({ type, status }) => type === 'Demo' && status === 'started')
  await until(async () => (await back()).length === 2, { timeoutMs: 30_000, what: 'both are back' })
  for (const { nickname, epoch } of await back()) expect(epoch).toBeGreaterThanOrEqual(epochs.get(nickname) ?? 0)
  await until(async () => (await client.show('Monitor')).status === 'started', { timeoutMs: 20_000 })
})

it('a child that is stopped while Redis is away is ended all the same', async () => {
  const ns = namespace()
  const server = await startRedis()
  await startNode({ namespace: ns, url: server.url })
  const client = await clientOf(ns, server.url)
  const { pid } = await client.start('Demo', 'frozen')
  await server.kill()
  process.kill(pid ?? 0, 'SIGSTOP')
  await until(() => hasEnded(pid ?? 0), { timeoutMs: 20_000, what: 'the child is ended' })
})

/** No process, or one that nobody has waited for yet. */
function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return /^Z/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return true
  }
}
