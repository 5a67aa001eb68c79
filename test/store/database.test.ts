import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../src/store/database.js'
import { temporaryFolder } from '../helpers/folder.js'
import { describeDatabase } from './database.js'

describe('a user database on SQLite', () => {
  describeDatabase('sqlite', async () => join(temporaryFolder('hysas-store'), 'mine.db'))

  it('is named by a path, file: or sqlite:', async () => {
    const path = join(temporaryFolder('hysas-store'), 'a b.db')
    for (const [n, url] of [path, `file:${path}`, pathToFileURL(path).href, `sqlite:${path}`].entries()) {
      const db = await openDatabase(url)
      await db.execute('create table if not exists t (n integer)')
      await db.execute('insert into t values (?)', [n])
      expect(await db.query('select count(*) as n from t')).toEqual([{ n: n + 1 }])
      await db.close()
    }
  })

  it('is usable again after the disk was full', async () => {
    const db = await openDatabase(join(temporaryFolder('hysas-store'), 'full.db'))
    await db.execute('create table t (text text)')
    await db.execute('pragma max_page_count = 20') // of 4 KiB: SQLite says the same as where the disk ends
    const big = 'x'.repeat(200_000)
    await expect(db.execute('insert into t values (?)', [big])).rejects.toThrow('full')
    const inTransaction = db.transaction(async (tx) => {
      await tx.execute('insert into t values (?)', ['small'])
      await tx.execute('insert into t values (?)', [big])
    })
    await expect(inTransaction).rejects.toThrow('full')
    await db.execute('pragma max_page_count = 1000')
    expect(await db.execute('insert into t values (?)', [big])).toMatchObject({ affectedRows: 1 })
    expect(await db.query('select count(*) as n from t')).toEqual([{ n: 1 }])
    await db.close()
  })
})
