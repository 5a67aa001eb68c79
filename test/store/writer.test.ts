import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createOutbox, recordEvent } from '../../src/fleet/outbox.js'
import { type Names, namesOf } from '../../src/redis/names.js'
import { openStore } from '../../src/store/store.js'
import type { EventStore } from '../../src/store/types.js'
import { createWriter, type Writer, type WriterOptions, type WriterState } from '../../src/store/writer.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis, startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { testLog } from './log.js'

describe('the writer of events', () => {
  const redis = connectRedis()
  let names: Names
  let sqliteFile: string
  let log: ReturnType<typeof testLog>
  const writers: Writer[] = []
  const open = () => openStore({ sqliteFile })

  beforeEach(() => {
    names = namesOf(namespace())
    sqliteFile = join(temporaryFolder('hysas-store'), 'hysas.db')
    log = testLog()
  })
  afterEach(async () => {
    await Promise.all(writers.splice(0).map((writer) => writer.stop()))
  })

  function newWriter(options: Partial<WriterOptions> = {}): Writer {
    const writer = createWriter({ store: open, source: createOutbox(redis, names), log, ...options })
    writers.push(writer)
    return writer
  }

  async function record(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, (_, n) => recordEvent(redis, names, { kind: 'alert', data: { n } }))
    return Promise.all(ids)
  }

  async function stored(): Promise<string[]> {
    const store = await open()
    const events = await store.find({ limit: 10_000, after: '0-0' })
    await store.close()
    return events.map(({ id }) => id)
  }

  const outboxIsEmpty = async () => (await redis.xlen(names.outbox)) === 0

  it('moves what waits, in batches, and then what comes', async () => {
    const ids = await record(1234)
    const writer = newWriter()
    writer.start()
    writer.start()
    await until(outboxIsEmpty)
    ids.push(...(await record(3)))
    await until(async () => (await stored()).length === ids.length)
    expect(await stored()).toEqual(ids)
    await until(() => writer.state().lag === 0)
    expect(writer.state()).toMatchObject({ writing: true, dropped: 0, lastError: '' })
  })

  it('forgets its error as soon as another writes, however much waits', async () => {
    let fails = true
    const failing = newWriter({
      store: async () => {
        if (fails) throw new Error('no such host')
        return open()
      },
    })
    const ids = await record(10)
    failing.start()
    await until(() => failing.state().lastError !== '')
    let recording = true
    const recorder = (async () => {
      while (recording) ids.push(...(await record(50)))
    })()
    const other = newWriter()
    other.start()
    await until(() => other.state().writing, { timeoutMs: 20_000 })
    await until(() => failing.state().lastError === '', { timeoutMs: 20_000, what: 'the error forgotten' })
    fails = false
    recording = false
    await recorder
  })

  it('is one of many: another takes over when it ends', async () => {
    const writing = new Set<string>()
    const named = (name: string) =>
      newWriter({
        store: async () => {
          const store = await open()
          const append: EventStore['append'] = (events) => {
            writing.add(name)
            return store.append(events)
          }
          return { ...store, append }
        },
      })
    const [a, b] = [named('a'), named('b')]
    a.start()
    await until(() => a.state().writing)
    b.start()
    await record(10)
    await until(outboxIsEmpty)
    expect([...writing]).toEqual(['a'])
    expect(b.state().writing).toBe(false)
    await a.stop()
    expect(a.state().writing).toBe(false)
    await record(10)
    await until(outboxIsEmpty)
    expect([...writing]).toEqual(['a', 'b'])
    expect(await stored()).toHaveLength(20)
  })

  it('keeps events in the outbox while the store refuses them, tells why once, and goes on by itself', async () => {
    let full = true
    const store = async (): Promise<EventStore> => {
      const real = await open()
      const append: EventStore['append'] = (events) =>
        full ? Promise.reject(new Error('database or disk is full')) : real.append(events)
      return { ...real, append }
    }
    const states: WriterState[] = []
    const ids = await record(20)
    const writer = newWriter({ store, onState: (state) => states.push(state) })
    writer.start()
    await until(() => writer.state().lastError)
    expect(writer.state()).toMatchObject({ writing: false, lag: 20, lastError: 'database or disk is full' })
    ids.push(...(await record(5)))
    await until(() => writer.state().lag === 25)
    full = false
    await until(outboxIsEmpty)
    await until(() => writer.state().lastError === '')
    expect(await stored()).toEqual(ids)
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
    expect(log.lines.map(({ msg }) => msg)).toContain('the event store can be written again')
    expect(states.at(-1)).toEqual(writer.state())
  })

  it('writes a batch again whose removal did not come through, and nothing is doubled', async () => {
    const source = createOutbox(redis, names)
    let failures = 0
    const remove: typeof source.remove = async (ids) => {
      if (failures++ === 0) throw new Error('the connection broke')
      await source.remove(ids)
    }
    const ids = await record(50)
    newWriter({ source: { ...source, remove } }).start()
    await until(outboxIsEmpty)
    expect(failures).toBe(2)
    expect(await stored()).toEqual(ids)
  })

  it('loses and doubles none of many, though reading, writing and removing fail in between', async () => {
    const source = createOutbox(redis, names)
    let calls = 0
    const flaky = async <T>(work: () => Promise<T>): Promise<T> => {
      if (++calls % 7 === 0 && calls < 30) throw new Error('the connection broke')
      const done = await work()
      if (calls % 11 === 0 && calls < 30) throw new Error('the answer was lost')
      return done
    }
    const ids = await record(3017)
    let most = 0
    const store = async (): Promise<EventStore> => {
      const real = await open()
      const append: EventStore['append'] = (events) => {
        most = Math.max(most, events.length)
        return flaky(() => real.append(events))
      }
      return { ...real, append }
    }
    const read: typeof source.read = (max, after) => flaky(() => source.read(max, after))
    const remove: typeof source.remove = (removed) => flaky(() => source.remove(removed))
    const wait: typeof source.wait = (ms, signal) => source.wait(Math.min(ms, 20), signal)
    newWriter({ source: { ...source, read, remove, wait }, store, batch: 100 }).start()
    await until(outboxIsEmpty)
    expect(await stored()).toEqual(ids)
    expect(most).toBe(100)
    expect(calls).toBeGreaterThan(90)
  })

  it('writes what waits before it stops, and can be started again', async () => {
    const writer = newWriter()
    writer.start()
    await until(() => writer.state().writing)
    const ids = await record(1500)
    await Promise.all([writer.stop(), writer.stop()])
    expect(await stored()).toEqual(ids)
    expect(await redis.get(names.writer)).toBeNull()
    writer.start()
    ids.push(...(await record(1)))
    await until(outboxIsEmpty)
    await writer.stop()
    await writer.stop()
    expect(await stored()).toEqual(ids)
  })

  it('tells of events that were lost because too many waited', async () => {
    const writer = newWriter()
    writer.start()
    await until(() => writer.state().writing)
    await writer.stop()
    await record(30)
    await redis.xtrim(names.outbox, 'MAXLEN', 10)
    writer.start()
    await until(outboxIsEmpty)
    await until(() => writer.state().dropped === 20)
    expect(log.lines).toContainEqual(expect.objectContaining({ level: 'error', obj: { dropped: 20, more: 20 } }))
  })

  it('outlives a Redis that restarts, and stops also while it is away', async () => {
    const server = await startRedis({ appendonly: true })
    const client = connectRedis(server.url)
    const writer = newWriter({ source: createOutbox(client, names) })
    writer.start()
    await until(() => writer.state().writing)
    await server.restart()
    const id = await recordEvent(client, names, { kind: 'alert' })
    await until(async () => (await stored()).includes(id))
    await server.kill()
    const began = Date.now()
    await writer.stop()
    expect(Date.now() - began).toBeLessThan(7000)
  })
})
