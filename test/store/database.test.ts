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
})
