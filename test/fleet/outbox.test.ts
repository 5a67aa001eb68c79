import { beforeEach, describe, expect, it } from 'vitest'
import { createOutbox, recordEvent } from '../../src/fleet/outbox.js'
import { type Names, namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

describe('the outbox of events', () => {
  const redis = connectRedis()
  const listener = connectRedis()
  let names: Names
  beforeEach(() => {
    names = namesOf(namespace())
  })

  it('keeps a recorded event until it is removed, and tells it at once', async () => {
    const heard: string[] = []
    listener.on('message', (channel, text) => {
      if (channel === names.eventsChannel) heard.push(text)
    })
    await listener.subscribe(names.eventsChannel)
    const data = { none: [], empty: {}, big: 9007199254740991, text: 'é🛡️"' }
    const id = await recordEvent(redis, names, { kind: 'command', source: 'cli:root@host', data })
    const time = Number(id.split('-')[0])
    const expected = {
      ...{ id, time, kind: 'command', severity: 'info', type: '', nickname: '', node: '', epoch: null },
      ...{ source: 'cli:root@host', message: '', data, key: '' },
    }
    await until(() => heard.length === 1)
    expect(JSON.parse(heard[0] ?? '')).toEqual(expected)

    const outbox = createOutbox(redis, names)
    expect(await outbox.read(10)).toEqual([expected])
    expect(await outbox.read(10)).toEqual([expected])
    expect(await outbox.size()).toMatchObject({ waiting: 1, dropped: 0 })
    await outbox.remove([id])
    await outbox.remove([id])
    await outbox.remove([])
    expect(await outbox.read(10)).toEqual([])
    expect(await outbox.size()).toMatchObject({ waiting: 0, dropped: 0 })
  })

  it('gives the oldest first, and so many as are wanted', async () => {
    const ids: string[] = []
    for (let n = 0; n < 25; n++) ids.push(await recordEvent(redis, names, { kind: 'alert', data: n }))
    const first = await createOutbox(redis, names).read(10)
    expect(first.map(({ id }) => id)).toEqual(ids.slice(0, 10))
    expect(first.map(({ data }) => data)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('gives what comes after an id, and no more than that is removed', async () => {
    const ids: string[] = []
    for (let n = 0; n < 25; n++) ids.push(await recordEvent(redis, names, { kind: 'alert', data: n }))
    const outbox = createOutbox(redis, names)
    const next = await outbox.read(10, ids[9])
    expect(next.map(({ data }) => data)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
    await outbox.remove(next.map(({ id }) => id))
    expect((await outbox.read(100)).map(({ data }) => data)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 21, 22, 23, 24])
    await outbox.remove(ids.slice(0, 10))
    expect((await outbox.read(100)).map(({ data }) => data)).toEqual([20, 21, 22, 23, 24])
    expect(await outbox.size()).toEqual({ waiting: 5, dropped: 0, written: 20 })
  })

  it('removes nothing of a stream that has come into the place of the one that was read', async () => {
    const add = (id: string) => redis.xadd(names.outbox, id, 'e', '{"kind":"alert"}')
    for (const id of ['5-0', '6-0', '7-0']) await add(id)
    const outbox = createOutbox(redis, names)
    const ids = (await outbox.read(10)).map(({ id }) => id)
    await redis.del(names.outbox)
    for (const id of ['4-1', '7-0', '8-0']) await add(id)
    await outbox.remove(ids)
    expect((await outbox.read(10)).map(({ id }) => id)).toEqual(['4-1', '8-0'])
    await redis.del(names.outbox)
    for (const id of ['5-1', '6-1']) await add(id)
    await outbox.remove(ids)
    expect((await outbox.read(10)).map(({ id }) => id)).toEqual(['5-1', '6-1'])
  })

  it('refuses an event that is too large', async () => {
    const event = { kind: 'alert', data: 'x'.repeat(1024 * 1024) }
    await expect(recordEvent(redis, names, event)).rejects.toMatchObject({ code: 'TOO_LARGE' })
    expect(await redis.exists(names.outbox)).toBe(0)
  })

  it('makes an event of what is none, so that it is neither lost nor in the way', async () => {
    await redis.xadd(names.outbox, '*', 'e', '{"kind":')
    await redis.xadd(names.outbox, '*', 'other', 'thing')
    await redis.xadd(names.outbox, '*', 'e', '"text"')
    const events = await createOutbox(redis, names).read(10)
    expect(events.map(({ kind }) => kind)).toEqual(['unreadable', 'unreadable', 'unreadable'])
    expect(events[0]?.data).toEqual({ fields: ['e', '{"kind":'] })
  })

  it('counts what was dropped, also before a writer came, and begins anew with a Redis that lost its data', async () => {
    const outbox = createOutbox(redis, names)
    const record = async (count: number) => {
      for (let n = 0; n < count; n++) await recordEvent(redis, names, { kind: 'alert' })
    }
    await record(10)
    expect(await outbox.size()).toMatchObject({ waiting: 10, dropped: 0 })
    await outbox.remove((await outbox.read(4)).map(({ id }) => id))
    await record(10)
    await redis.xtrim(names.outbox, 'MAXLEN', 9)
    expect(await outbox.size()).toMatchObject({ waiting: 9, dropped: 7 })
    await outbox.remove((await outbox.read(9)).map(({ id }) => id))
    expect(await createOutbox(redis, names).size()).toMatchObject({ waiting: 0, dropped: 7 })
    await redis.del(names.outbox)
    await record(3)
    expect(await outbox.size()).toMatchObject({ waiting: 3, dropped: 0 })
  })

  it('has one writer at a time', async () => {
    const [a, b] = [createOutbox(redis, names), createOutbox(redis, names)]
    expect([await a.lease(), await b.lease(), await a.lease()]).toEqual([true, false, true])
    await b.release()
    expect(await b.lease()).toBe(false)
    expect(await redis.pttl(names.writer)).toBeGreaterThan(8000)
    await a.release()
    expect([await b.lease(), await a.lease()]).toEqual([true, false])
    await redis.pexpire(names.writer, 1)
    expect(await until(() => a.lease())).toBe(true)
  })

  it('waits no longer than its signal lets it', async () => {
    const ending = new AbortController()
    const waiting = createOutbox(redis, names).wait(60_000, ending.signal)
    ending.abort()
    await waiting
    await createOutbox(redis, names).wait(60_000, ending.signal)
  })
})
