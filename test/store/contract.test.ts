import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Libsql from 'libsql'
import { describe, expect, it } from 'vitest'
import { openStore } from '../../src/store/store.js'
import { temporaryFolder } from '../helpers/folder.js'
import { describeStore, failureOf } from './contract.js'
import { event } from './events.js'

const freshFile = () => join(temporaryFolder('hysas-store'), 'deep/er', 'hysas.db')

describe('the event store on SQLite', () => {
  describeStore('sqlite', async () => ({ sqliteFile: freshFile() }))

  it('is a file of the owner alone, in a folder that it makes', async () => {
    const sqliteFile = freshFile()
    const store = await openStore({ sqliteFile })
    await store.append([event(1)])
    expect(store.where).toBe(sqliteFile)
    for (const name of readdirSync(join(sqliteFile, '..'))) {
      expect(statSync(join(sqliteFile, '..', name)).mode & 0o077, name).toBe(0)
    }
    await store.close()
  })

  it('refuses a file that is no database, naming it', async () => {
    const sqliteFile = join(temporaryFolder('hysas-store'), 'notes.txt')
    writeFileSync(sqliteFile, 'These are notes, and they are longer than the head of a database file. '.repeat(9))
    const error = await failureOf({ sqliteFile })
    expect(error).toMatchObject({ code: 'DATABASE', details: { database: sqliteFile } })
    expect(error.message).toContain('not a database')
  })

  it('refuses a path that can not be a file', async () => {
    const folder = temporaryFolder('hysas-store')
    mkdirSync(join(folder, 'hysas.db'))
    expect(await failureOf({ sqliteFile: join(folder, 'hysas.db') })).toMatchObject({ code: 'DATABASE' })
    chmodSync(folder, 0o755)
  })

  it('refuses tables of a newer version, and a table of the same name that is another', async () => {
    const newer = freshFile()
    await (await openStore({ sqliteFile: newer })).close()
    const raw = new Libsql(newer)
    raw.exec('insert into hysas_schema (version) values (99)')
    raw.close()
    expect((await failureOf({ sqliteFile: newer })).message).toContain('newer version of HySAS')

    const other = join(temporaryFolder('hysas-store'), 'other.db')
    const theirs = new Libsql(other)
    theirs.exec('create table events (party text)')
    theirs.close()
    expect((await failureOf({ sqliteFile: other })).message).toContain('already exists')
  })

  it('takes no URL but of MySQL, MariaDB and files, and shows no password of any', async () => {
    const urls = [
      'mysql://u:secret@ho st/x',
      'mysql://u:secret@h',
      'mysql://u:secret@127.0.0.1:1/x',
      'mysql://u:secret@h/x?sll=true',
      'postgres://u:secret@h/x',
    ]
    for (const url of urls) {
      const failure = await failureOf({ url, sqliteFile: '' })
      expect(failure.code).toBe('DATABASE')
      const shown = JSON.stringify(failure) + String(failure.cause) + JSON.stringify(failure.cause)
      expect(shown, url).not.toContain('secret')
    }
    const file = freshFile()
    const store = await openStore({ url: `file:${file}`, sqliteFile: '' })
    expect(store.where).toBe(file)
    await store.close()
  })
})
