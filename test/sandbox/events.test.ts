import { type AddressInfo, connect, createServer } from 'node:net'
import { beforeEach, describe, expect, it } from 'vitest'
import { createOutbox } from '../../src/fleet/outbox.js'
import { type Names, namesOf } from '../../src/redis/names.js'
import { createEvents } from '../../src/sandbox/events.js'
import { createFence } from '../../src/sandbox/fence.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis, redisUrl } from '../helpers/redis.js'

describe('events that a worker records', () => {
  const redis = connectRedis()
  let names: Names
  let stale = 0
  const eventsOf = (token: string) => {
    const fence = createFence({ type: 'Guard', nickname: 'gate', token }, 7, () => stale++)
    return createEvents({ redis, names, fence, node: 'n1' })
  }
  beforeEach(async () => {
    names = namesOf(namespace())
    stale = 0
    await redis.hset(names.worker('gate'), 'token', 'mine')
  })

  it('are all there, in order, however many are recorded at once', async () => {
    const events = eventsOf('mine')
    await Promise.all(Array.from({ length: 1000 }, (_, n) => events.record('alert', { data: n })))
    const read = await createOutbox(redis, names).read(2000)
    expect(read.map(({ data }) => data)).toEqual(Array.from({ length: 1000 }, (_, n) => n))
    expect(read[999]).toMatchObject({ kind: 'alert', type: 'Guard', nickname: 'gate', node: 'n1', epoch: 7 })
  })

  it('are on record after flush, though nobody waited for them', async () => {
    const events = eventsOf('mine')
    for (let n = 0; n < 600; n++) void events.record('alert', { data: n })
    await events.flush()
    expect(await createOutbox(redis, names).read(2000)).toHaveLength(600)
    await events.flush()
  })

  it('are refused alike, and end the run, where a later one holds the name', async () => {
    const events = eventsOf('other')
    const results = await Promise.allSettled([events.record('alert'), events.record('alert')])
    expect(results).toMatchObject([{ reason: { code: 'STALE_RUN' } }, { reason: { code: 'STALE_RUN' } }])
    expect(stale).toBe(1)
    expect(await redis.exists(names.outbox)).toBe(0)
  })

  it('of a run that was overtaken kill nobody who does not wait for them, and those of one that has ended are refused', async () => {
    const overtaken = eventsOf('other')
    void overtaken.record('alert') // were it not caught, this file would fail
    await overtaken.flush()
    expect(stale).toBe(1)
    void overtaken.record('alert')
    await redis.hset(names.worker('gate'), { running: '0', kind: 'long-running' })
    await expect(eventsOf('mine').record('alert')).rejects.toMatchObject({ code: 'STALE_RUN' })
    await redis.hset(names.worker('gate'), 'kind', 'repeatable')
    await eventsOf('mine').record('alert')
    expect(await redis.xlen(names.outbox)).toBe(1)
  })

  it('are recorded once, though the connection breaks before the answer', async () => {
    const { port } = new URL(redisUrl())
    let cuts = 0
    const proxy = createServer((client) => {
      const server = connect(Number(port), '127.0.0.1')
      let cutting = false
      client.on('data', (chunk) => {
        cutting = chunk.includes('cut-here') && cuts++ === 0
        server.write(chunk)
      })
      // the answer of Redis never arrives
      server.on('data', (chunk) => (cutting ? client.destroy() : client.write(chunk)))
      for (const socket of [client, server]) socket.on('error', () => {})
      client.on('close', () => server.destroy())
      server.on('close', () => client.destroy())
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const through = connectRedis(`redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
    const fence = createFence({ type: 'Guard', nickname: 'gate', token: 'mine' }, 7, () => stale++)
    const events = createEvents({ redis: through, names, fence, node: 'n1' })
    await events.record('alert', { message: 'cut-here' })
    await events.record('alert', { message: 'after' })
    const read = await createOutbox(redis, names).read(2000)
    expect(read.map(({ message }) => message)).toEqual(['cut-here', 'after'])
    expect(cuts).toBe(2)
    through.disconnect()
    proxy.close()
  })
})
