import { createConnection } from 'mysql2/promise'
import { describe, expect, it } from 'vitest'
import { openStore } from '../../src/store/store.js'
import { mysqlUrl } from '../helpers/mysql.js'
import { describeStore, failureOf } from './contract.js'
import { event } from './events.js'

describe('the event store on MySQL', () => {
  describeStore('mysql', async () => ({ url: await mysqlUrl(), sqliteFile: '/nowhere' }))

  it('shows itself without its password, and creates a database that is missing', async () => {
    const url = new URL(await mysqlUrl())
    const admin = await createConnection(url.href)
    const name = url.pathname.slice(1)
    const user = `u${name.slice(-8)}`
    await admin.query(`drop database ${name}`)
    await admin.query(`create user ${user}@'127.0.0.1' identified by 'se/c:r@t'`)
    await admin.query(`grant all on \`${name}\`.* to ${user}@'127.0.0.1'`)
    url.username = user
    url.password = 'se/c:r@t'
    const store = await openStore({ url: url.href.replace('mysql:', 'mariadb:'), sqliteFile: '' })
    expect(store.where).toBe(`mariadb://${user}@${url.host}/${name}`)
    expect(await store.append([event(1)])).toBe(1)
    await store.close()

    const wrong = await failureOf({ url: url.href.replace('se%2Fc', 'no'), sqliteFile: '' })
    expect(wrong).toMatchObject({ code: 'DATABASE', details: { database: `mysql://${user}@${url.host}/${name}` } })
    expect(wrong.message).toContain('Access denied')
    url.pathname = '/another_database'
    expect((await failureOf({ url: url.href, sqliteFile: '' })).message).toContain('Access denied')
    await admin.query(`drop user ${user}@'127.0.0.1'`)
    await admin.end()
  })

  it('refuses a database in which another has a table "events"', async () => {
    const url = await mysqlUrl()
    const connection = await createConnection(url)
    await connection.query('create table events (time bigint, raw_id bigint)')
    await connection.end()
    expect((await failureOf({ url, sqliteFile: '' })).message).toContain('HySAS needs a database of its own')
  })

  it('outlives the loss of its connections', async () => {
    const url = await mysqlUrl()
    const store = await openStore({ url, sqliteFile: '' })
    await store.append([event(1)])
    const admin = await createConnection(url)
    const [rows] = await admin.query(
      'select id from information_schema.processlist where db = database() and id <> connection_id()',
    )
    for (const { id } of rows as { id: number }[]) await admin.query('kill ?', [id])
    await admin.end()
    expect(await store.append([event(2)])).toBe(1)
    expect(await store.find({})).toHaveLength(2)
    await store.close()
  })
})
