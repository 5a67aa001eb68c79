import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenDatabase, openDatabase } from '../../src/store/database.js'
import { NASTY } from './events.js'

/** What `ctx.database` does alike on both kinds. `url` gives a new, empty database at each call. */
export function describeDatabase(kind: OpenDatabase['kind'], url: () => Promise<string>): void {
  let db: OpenDatabase
  let other: OpenDatabase
  beforeAll(async () => {
    const at = await url()
    db = await openDatabase(at)
    other = await openDatabase(at)
    await db.execute('create table notes (id integer primary key, text varchar(1000), amount double, raw blob)')
  })
  afterAll(async () => {
    await db?.close()
    await other?.close()
    await db?.close()
  })

  it('gives rows, and tells what a statement changed', async () => {
    expect(db.kind).toBe(kind)
    const insert = 'insert into notes (id, text, amount) values (?, ?, ?)'
    expect(await db.execute(insert, [1, 'one', 1.5])).toMatchObject({ affectedRows: 1 })
    expect(await db.execute(insert, [2, 'two', undefined])).toMatchObject({ affectedRows: 1 })
    expect(await db.query('select id, text, amount from notes order by id limit ?', [10])).toEqual([
      { id: 1, text: 'one', amount: 1.5 },
      { id: 2, text: 'two', amount: null },
    ])
    expect(await db.query<{ n: number }>('select count(*) as n from notes')).toEqual([{ n: 2 }])
    expect(await db.execute('update notes set text = ? where id > ?', ['both', 0])).toMatchObject({ affectedRows: 2 })
    expect(await db.execute('delete from notes')).toEqual({ affectedRows: 2, insertId: 0 })
    expect(await db.query('select * from notes where id = ?', [1])).toEqual([])
  })

  it('keeps values values', async () => {
    for (const [n, text] of NASTY.entries()) {
      await db.execute('insert into notes (id, text) values (?, ?)', [n, text])
      expect(await db.query('select text from notes where id = ? and text = ?', [n, text]), text).toEqual([{ text }])
    }
    const [row] = await db.query<{ n: number }>('select count(*) as n from notes')
    expect(row?.n).toBe(NASTY.length)
    await db.execute('delete from notes')
  })

  it('takes values of all kinds', async () => {
    const raw = Buffer.from([0, 1, 255])
    const insert = 'insert into notes (id, text, amount, raw) values (?, ?, ?, ?)'
    await db.execute(insert, [1, { a: [1, "'"] }, true, raw])
    await db.execute(insert, [2, 7, 12345678901n, new Uint8Array([1, 2])])
    await db.execute(insert, [3, null, Number.NaN, null])
    const rows = await db.query('select text, amount, raw from notes order by id')
    expect(rows).toEqual([
      { text: '{"a":[1,"\'"]}', amount: 1, raw },
      { text: '7', amount: 12345678901, raw: Buffer.from([1, 2]) },
      { text: null, amount: null, raw: null },
    ])
    await db.execute('delete from notes')
  })

  it('runs one statement at a time', async () => {
    await db.execute('create table victim (id integer)')
    await db.query('select 1; drop table victim').catch(() => {}) // refused by the one, cut by the other
    await db.execute('insert into victim (id) values (?); drop table victim', [1]).catch(() => {})
    await expect(db.query('select * from victim')).resolves.toBeInstanceOf(Array)
  })

  it('says what is wrong with a statement', async () => {
    await expect(db.query('select * from nothing_here')).rejects.toThrow(/nothing_here/)
    await expect(db.execute('insert into notes (id) values (?), (?)', [1, 1])).rejects.toThrow()
    expect(await db.query('select * from notes')).toEqual([])
  })

  it('does all of a transaction, or nothing', async () => {
    const result = await db.transaction(async (tx) => {
      await tx.execute('insert into notes (id, text) values (?, ?)', [1, 'a'])
      expect(await tx.query('select id from notes')).toEqual([{ id: 1 }])
      return 'done'
    })
    expect(result).toBe('done')
    const failing = db.transaction(async (tx) => {
      await tx.execute('insert into notes (id, text) values (?, ?)', [2, 'b'])
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    expect(await other.query('select id from notes')).toEqual([{ id: 1 }])
    await db.execute('delete from notes')
  })

  it('refuses what would wait for itself, and a transaction that has ended', async () => {
    const inside = db.transaction(async () => db.query('select 1'))
    await expect(inside).rejects.toThrow('inside a transaction')
    const nested = db.transaction(() => db.transaction(async () => 1))
    await expect(nested).rejects.toThrow('inside a transaction')
    const kept = await db.transaction(async (tx) => tx)
    await expect(kept.query('select 1')).rejects.toThrow('has ended')
    expect(await db.query('select 1 as one')).toEqual([{ one: 1 }])
  })

  it('lets two handles count on one number without losing a step', async () => {
    await db.execute('insert into notes (id, amount) values (1, 0)')
    const step = (on: OpenDatabase) => on.execute('update notes set amount = amount + 1 where id = ?', [1])
    const slow = (on: OpenDatabase) =>
      on.transaction(async (tx) => {
        await tx.execute('update notes set amount = amount + 1 where id = ?', [1])
        await new Promise((resolve) => setTimeout(resolve, 5))
      })
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => [step(db), slow(other), step(other), n % 2 ? slow(db) : 0]).flat(),
    )
    expect(await db.query('select amount from notes')).toEqual([{ amount: 70 }])
    await db.execute('delete from notes')
  })

  describe('opening', () => {
    it('what is not there fails without showing the password', async () => {
      for (const url of ['mysql://u:secret@127.0.0.1:1/x', 'postgres://u:secret@h/x', 'mysql://u:secret@h']) {
        const error = await openDatabase(url).catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ code: 'USER_DATABASE' })
        expect(JSON.stringify(error), url).not.toContain('secret')
      }
    })
  })
}
