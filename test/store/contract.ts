import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HysasError } from '../../src/errors.js'
import type { Owner } from '../../src/store/owner.js'
import { openStore } from '../../src/store/store.js'
import type { EventStore, StoredEvent } from '../../src/store/types.js'
import { event, many, NASTY, T0 } from './events.js'
import { writeFromProcesses } from './processes.js'

export type Place = { url?: string; sqliteFile: string; owner?: Owner }

/** What both databases must do alike. `place` gives a new, empty database at each call. */
export function describeStore(kind: EventStore['kind'], place: () => Promise<Place>): void {
  const opened: EventStore[] = []
  const open = async (at?: Place) => {
    const store = await openStore(at ?? (await place()))
    opened.push(store)
    return store
  }
  afterAll(async () => {
    for (const store of opened) await store.close()
  })

  describe('an event', () => {
    let store: EventStore
    beforeAll(async () => {
      store = await open()
    })

    it('comes back as it went in', async () => {
      expect(store.kind).toBe(kind)
      const full = event(1, {
        id: `${T0 + 1}-12`,
        severity: 'critical',
        message: 'Someone knocks 🛡️',
        data: { ports: [22, 80], nested: { empty: [], none: null, 'odd"key': "it's" }, big: 9007199254740991, f: 0.1 },
        key: 'k1',
      })
      const bare = event(2, { type: '', nickname: '', node: '', epoch: null, source: '', message: '' })
      expect(await store.append([full, bare])).toBe(2)
      expect(await store.find({})).toEqual([bare, full])
    })

    it('keeps text of any kind, and is found by it, without becoming SQL', async () => {
      const events = NASTY.map((text, n) =>
        event(1000 + n, {
          kind: 'nasty',
          source: text,
          message: text,
          node: text,
          type: text,
          key: text,
          data: { [text]: text },
        }),
      )
      expect(await store.append(events)).toBe(events.length)
      expect(await store.find({ kind: 'nasty', limit: 1000 })).toEqual([...events].reverse())
      for (const [n, text] of NASTY.entries()) {
        expect(await store.find({ source: text }), text).toEqual([events[n]])
        expect(await store.find({ type: text, nickname: 'gate-1', kind: ['nasty', text] }), text).toEqual([events[n]])
        expect(await store.find({ kind: text }), text).toEqual([])
        expect(await store.find({ nickname: text, severity: text }), text).toEqual([])
      }
    })

    it('that is unfit is made fit instead of holding up all others', async () => {
      const odd = event(2000, {
        kind: 'k'.repeat(500),
        nickname: 'n'.repeat(500),
        source: '🔥'.repeat(1000),
        message: `a\0b\ud800c${'m'.repeat(100_000)}`,
        node: 'x'.repeat(300),
        key: 'y'.repeat(5000),
        epoch: Number.NaN,
        data: { a: 'z'.repeat(3_000_000) },
      })
      const wrong = { id: `${T0 + 2001}-0`, kind: 5, nickname: true, data: 'text' } as unknown as StoredEvent
      expect(await store.append([odd, wrong])).toBe(2)
      const [second, first] = await store.find({ limit: 2, since: T0 + 2000 })
      expect(first?.kind).toHaveLength(64)
      expect(first?.message).toMatch(/^a\ufffdb\ufffdcmmm.*…$/)
      expect(first?.epoch).toBeNull()
      expect(first?.data).toMatchObject({ truncated: true })
      expect(second).toMatchObject({ kind: '5', nickname: 'true', data: 'text', source: '' })
    })

    it('with an id that is none is refused', async () => {
      await expect(store.append([event(1, { id: 'abc' })])).rejects.toMatchObject({ code: 'USAGE' })
    })
  })

  describe('a batch', () => {
    it('that is written again changes nothing', async () => {
      const store = await open()
      const events = many(1000, (n) => ({ data: { n }, key: n % 10 ? '' : `k${n}` }))
      expect(await store.append(events)).toBe(1000)
      expect(await store.append(events)).toBe(0)
      expect(await store.append([...events.slice(900), event(5000)])).toBe(1)
      expect(await store.find({ limit: 10_000 })).toHaveLength(1001)
    })

    it('keeps one event of each worker and key', async () => {
      const store = await open()
      const added = await store.append([
        event(1, { key: 'a' }),
        event(2, { key: 'a' }),
        event(3, { key: 'A' }),
        event(4, { key: 'a ' }),
        event(5, { key: 'a', nickname: 'gate-2' }),
        event(6),
        event(7),
      ])
      expect(added).toBe(6)
      expect(await store.append([event(8, { key: 'a' })])).toBe(0)
      expect((await store.find({})).map(({ time }) => time - T0)).toEqual([7, 6, 5, 4, 3, 1])
    })

    it('may be bigger than what a database takes in one statement', async () => {
      const store = await open()
      const events = many(40, (n) => ({ data: { n, text: '"\''.repeat(250_000) } }))
      expect(await store.append(events)).toBe(40)
      expect(isDeepStrictEqual(await store.find({ limit: 1 }), [events.at(-1)])).toBe(true)
    })

    it('of no events is nothing', async () => {
      const store = await open()
      expect(await store.append([])).toBe(0)
    })

    it('may be written by two at once, and is there once', async () => {
      const at = await place()
      const [a, b] = [await open(at), await open(at)]
      const events = many(2000, (n) => ({ key: `k${n}` }))
      const written = []
      for (let n = 0; n < events.length; n += 200) {
        const part = events.slice(n, n + 200)
        written.push(a.append(part), b.append([...part].reverse()))
      }
      const counts = await Promise.all(written)
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2000)
      expect(await a.find({ limit: 10_000 })).toHaveLength(2000)
    })
  })

  describe('a query', () => {
    let store: EventStore
    const events = many(1000, (n) => ({
      id: `${T0 + Math.floor(n / 10)}-${n % 10 === 9 ? 10 : n % 10}`,
      time: T0 + Math.floor(n / 10),
      kind: n % 3 ? 'alert' : 'started',
      nickname: `gate-${n % 4}`,
      severity: n % 100 ? 'info' : 'error',
    }))
    beforeAll(async () => {
      store = await open()
      await store.append(events)
    })

    it('without conditions gives the newest hundred, newest first', async () => {
      expect(await store.find({})).toEqual(events.slice(900).reverse())
    })

    it('takes all its conditions together', async () => {
      const expected = events.filter(
        (e) => e.kind === 'alert' && e.nickname === 'gate-1' && e.time >= T0 + 20 && e.time <= T0 + 50,
      )
      const query = { kind: 'alert', nickname: 'gate-1', since: T0 + 20, until: T0 + 50, limit: 10_000 }
      expect(await store.find(query)).toEqual(expected.reverse())
      expect(await store.find({ severity: 'error', kind: ['started', 'x'], limit: 1000 })).toHaveLength(4)
      expect(await store.find({ severity: ['error', 'critical'], kind: 'started', limit: 1000 })).toHaveLength(4)
      expect(await store.find({ kind: [] })).toEqual([])
      expect(await store.find({ source: 'nobody' })).toEqual([])
    })

    it('pages back through all, by `before`', async () => {
      const seen: StoredEvent[] = []
      for (let before: string | undefined; ; before = seen.at(-1)?.id) {
        const page = await store.find({ limit: 77, ...(before ? { before } : {}) })
        if (!page.length) break
        seen.push(...page)
      }
      expect(seen).toEqual([...events].reverse())
    })

    it('follows from anywhere, by `after`, oldest first, with ids ordered as numbers', async () => {
      const seen: StoredEvent[] = []
      for (let after = '0-0'; ; after = seen.at(-1)?.id ?? after) {
        const page = await store.find({ after, limit: 99, kind: 'alert' })
        if (!page.length) break
        seen.push(...page)
      }
      expect(seen).toEqual(events.filter((e) => e.kind === 'alert'))
      expect((await store.find({ after: `${T0}-8` }))[0]?.id).toBe(`${T0}-10`)
      expect(await store.find({ after: `${T0}-8`, before: `${T0 + 1}-0` })).toEqual([events[9]])
    })

    it('counts by time and kind', async () => {
      const counts = await store.countByTime({ bucketMs: 40, since: T0 + 10 })
      const expected = new Map<string, { time: number; kind: string; count: number }>()
      for (const { time, kind: of } of events) {
        if (time < T0 + 10) continue
        const bucket = time - (time % 40)
        const entry = expected.get(`${bucket} ${of}`) ?? { time: bucket, kind: of, count: 0 }
        entry.count++
        expected.set(`${bucket} ${of}`, entry)
      }
      const sorted = [...expected.values()].sort((a, b) => a.time - b.time || (a.kind < b.kind ? -1 : 1))
      expect(counts).toEqual(sorted)
      expect(await store.countByTime({ bucketMs: 3_600_000, kind: 'started' })).toEqual([
        { time: T0 - (T0 % 3_600_000), kind: 'started', count: 334 },
      ])
      expect((await store.countByTime({ bucketMs: 1, limit: 3 })).map(({ time }) => time - T0)).toEqual([98, 99, 99])
    })

    it('that makes no sense is refused', async () => {
      const misuse = { code: 'USAGE' }
      await expect(store.find({ limit: 0 })).rejects.toMatchObject(misuse)
      await expect(store.find({ limit: 1.5 })).rejects.toMatchObject(misuse)
      await expect(store.find({ limit: '1; drop table events' as unknown as number })).rejects.toMatchObject(misuse)
      await expect(store.find({ after: "1' or 1" })).rejects.toMatchObject(misuse)
      await expect(store.countByTime({ bucketMs: 0 })).rejects.toMatchObject(misuse)
      await expect(store.prune(Number.NaN)).rejects.toMatchObject(misuse)
    })
  })

  it('prune removes what is older, and says how much', async () => {
    const store = await open()
    for (let n = 0; n < 12_000; n += 1000)
      await store.append(many(1000).map((e, i) => event(n + i, { message: e.message })))
    expect(await store.prune(T0 + 11_990)).toBe(11_990)
    expect(await store.prune(T0 + 11_990)).toBe(0)
    const left = await store.find({})
    expect(left).toHaveLength(10)
    expect(left.at(-1)?.time).toBe(T0 + 11_990)
  })

  describe('opening', () => {
    it('by eight at once makes one set of tables, and all can write', async () => {
      const at = await place()
      const stores = await Promise.all(Array.from({ length: 8 }, () => open(at)))
      await Promise.all(stores.map((store, n) => store.append([event(n)])))
      expect(await stores[0]?.find({})).toHaveLength(8)
    })

    it('by four processes at once works too', async () => {
      const at = await place()
      expect(await writeFromProcesses(at, 4)).toEqual([0, 0, 0, 0])
      const store = await open(at)
      expect(await store.find({ limit: 1000 })).toHaveLength(400)
    })

    it('again finds what was there', async () => {
      const at = await place()
      const first = await openStore(at)
      await first.append([event(1)])
      await first.close()
      await first.close()
      await expect(first.find({})).rejects.toMatchObject({ code: 'DATABASE' })
      const second = await open(at)
      expect(await second.find({})).toEqual([event(1)])
    })
  })

  describe('a store', () => {
    const node = (namespace: string) => ({ owner: { namespace, claims: true } })
    const reader = (namespace: string) => ({ owner: { namespace, claims: false } })

    it('belongs to the fleet that first writes to it, and is refused to all others', async () => {
      const at = await place()
      await open({ ...at, ...reader('typo') })
      const before = await open(at)
      await before.append([event(1)])
      await open({ ...at, ...node('north') })
      await open({ ...at, ...node('north') })
      await open({ ...at, ...reader('north') })
      for (const other of [node('south'), reader('south'), node('North')]) {
        const failure = await failureOf({ ...at, ...other })
        expect(failure).toMatchObject({
          code: 'OTHER_FLEETS_STORE',
          details: { theirs: 'north', ours: other.owner.namespace, database: before.where },
        })
      }
    })

    it('that two fleets open at once becomes that of one', async () => {
      const at = await place()
      const fleets = ['north', 'south', 'north', 'south', 'north', 'south']
      const opening = await Promise.allSettled(fleets.map((fleet) => open({ ...at, ...node(fleet) })))
      expect(opening.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
      for (const one of opening)
        if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'OTHER_FLEETS_STORE' })
    })
  })

  it('reads while another handle writes', async () => {
    const at = await place()
    const [writer, reader] = [await open(at), await open(at)]
    const writing = (async () => {
      for (let n = 0; n < 20; n++) await writer.append(Array.from({ length: 100 }, (_, i) => event(n * 100 + i)))
    })()
    let ended = false
    writing.finally(() => {
      ended = true
    })
    while (!ended) {
      // A batch is there whole or not at all.
      const found = await reader.find({ limit: 10_000 })
      expect(found.length % 100).toBe(0)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await writing
    expect(await reader.find({ limit: 10_000 })).toHaveLength(2000)
  })
}

/** The error of the catalogue that opening `at` fails with. */
export async function failureOf(at: Place): Promise<HysasError> {
  try {
    await (await openStore(at)).close()
  } catch (error) {
    expect(error).toBeInstanceOf(HysasError)
    return error as HysasError
  }
  throw new Error('It opened.')
}
