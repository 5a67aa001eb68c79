import { createHarness } from 'hysas/testing'
import { describe, expect, test } from 'vitest'
import Process from '../../processors/Process.js'
import { openDatabase } from '../../src/store/database.js'
import { mysqlUrl, startMysql } from '../helpers/mysql.js'
import { until } from '../helpers/until.js'
import { describeProcess } from './process-suite.js'

describe('Process on MariaDB', () => {
  describeProcess(mysqlUrl)

  test('keeps texts of all languages, whatever characters the event database is set up for', async () => {
    const [raw, event] = [await openDatabase(await mysqlUrl()), await openDatabase(await mysqlUrl())]
    await raw.execute('CREATE TABLE raw_events (id BIGINT PRIMARY KEY, msg TEXT) DEFAULT CHARACTER SET utf8mb4')
    await raw.execute('INSERT INTO raw_events (id, msg) VALUES (?, ?), (?, ?)', [1, '拒绝登录 🔒', 2, 'and on'])
    await event.execute('ALTER DATABASE CHARACTER SET latin1')
    const worker = createHarness(Process, { databases: { raw, event }, params: { everyMs: 10 }, clock: 'real' })
    await worker.start()
    const messages = async () =>
      (await event.query('SELECT message FROM events ORDER BY raw_id').catch(() => [])).map(({ message }) => message)
    await until(async () => (await messages()).length === 2)
    expect(await messages()).toEqual(['拒绝登录 🔒', 'and on'])
    await worker.stop()
    await raw.close()
    await event.close()
  })

  test('survives that the server is away, and goes on where it was', async () => {
    const server = await startMysql()
    const database = await openDatabase(server.url)
    await database.execute('SET GLOBAL innodb_flush_log_at_trx_commit = 1') // The helper's server is quick rather than safe.
    await database.execute('CREATE TABLE raw_events (id BIGINT PRIMARY KEY, msg TEXT)')
    const add = (id: number) => database.execute('INSERT INTO raw_events (id, msg) VALUES (?, ?)', [id, `row ${id}`])
    const ids = async () => (await database.query('SELECT raw_id FROM events ORDER BY raw_id')).map((row) => row.raw_id)
    await add(1)
    const databases = { raw: database, event: database }
    const worker = createHarness(Process, { databases, params: { everyMs: 20 }, clock: 'real' })
    await worker.start()
    await until(() => (worker.progress.at(-1) as { rows?: number }).rows === 1)

    await server.kill()
    await until(() => (worker.progress.at(-1) as { failures?: number }).failures === 2)
    expect(worker.progress.at(-1)).toMatchObject({ state: 'waiting', problem: expect.any(String), rows: 1 })
    await server.restart()
    await add(2)
    await until(async () => (await ids()).length === 2, { timeoutMs: 20_000 })
    expect(worker.logs.filter(({ level }) => level === 'error')).toHaveLength(1)
    await worker.stop()
    await database.close()
  })
})
