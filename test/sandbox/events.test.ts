import { beforeEach, describe, expect, it } from 'vitest'
import { createOutbox } from '../../src/fleet/outbox.js'
import { type Names, namesOf } from '../../src/redis/names.js'
import { createEvents } from '../../src/sandbox/events.js'
import { createFence } from '../../src/sandbox/fence.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'

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
})
