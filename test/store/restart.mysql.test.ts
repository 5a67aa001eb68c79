import { createConnection } from 'mysql2/promise'
import { beforeAll, describe, expect, it } from 'vitest'
import { createOutbox, recordEvent } from '../../src/fleet/outbox.js'
import { namesOf } from '../../src/redis/names.js'
import { openStore } from '../../src/store/store.js'
import { createWriter } from '../../src/store/writer.js'
import { startMysql } from '../helpers/mysql.js'
import type { MysqlServer } from '../helpers/mysql-server.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { event, NASTY } from './events.js'
import { testLog } from './log.js'

describe('on a database server of its own', () => {
  let server: MysqlServer
  beforeAll(async () => {
    server = await startMysql()
    // The helper's server is quick rather than safe; a database that forgets what it has promised is not the matter here.
    const admin = await createConnection(server.url)
    await admin.query('set global innodb_flush_log_at_trx_commit = 1')
    await admin.end()
  })

  it('escapes rightly also on a server whose default lets no backslash escape', async () => {
    const { url } = server
    const admin = await createConnection(url)
    const [rows] = await admin.query('select @@global.sql_mode as mode')
    const mode = (rows as { mode: string }[])[0]?.mode ?? ''
    await admin.query("set global sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'")
    try {
      const store = await openStore({ url, sqliteFile: '' })
      const events = NASTY.map((text, n) => event(n, { message: text, source: text }))
      expect(await store.append(events)).toBe(events.length)
      for (const [n, text] of NASTY.entries()) expect(await store.find({ source: text })).toEqual([events[n]])
      await store.close()
    } finally {
      await admin.query('set global sql_mode = ?', [mode])
      await admin.end()
    }
  })

  it('a killed database loses no event and doubles none, while the writer goes on', { timeout: 60_000 }, async () => {
    const redis = connectRedis()
    const names = namesOf(namespace())
    const url = server.url.replace('/test', '/killed')
    const log = testLog()
    const writer = createWriter({
      store: () => openStore({ url, sqliteFile: '' }),
      source: createOutbox(redis, names),
      log,
      batch: 100,
    })
    const expected: string[] = []
    let recording = true
    const record = async () => {
      for (let n = 0; recording; n++) {
        expected.push(await recordEvent(redis, names, { kind: 'alert', nickname: 'gate-1', key: `k${n}`, data: { n } }))
        if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    const recorder = record()
    try {
      writer.start()
      await until(() => writer.state().lag === 0 && expected.length > 500)
      await server.kill()
      await until(() => writer.state().lastError !== '', { what: 'the writer tells of the error' })
      expect(writer.state().writing).toBe(false)
      const before = expected.length
      await until(() => expected.length > before + 1000)
      await server.restart()
      await until(() => writer.state().lastError === '', { timeoutMs: 30_000, what: 'the writer is back' })
      await server.restart() // this time in order
    } finally {
      recording = false
      await recorder
    }
    await until(async () => (await redis.xlen(names.outbox)) === 0, { timeoutMs: 30_000, what: 'the outbox is empty' })
    await writer.stop()

    const store = await openStore({ url, sqliteFile: '' })
    const stored: string[] = []
    for (let page = await store.find({ after: '0-0', limit: 5000 }); page.length; ) {
      stored.push(...page.map(({ id }) => id))
      page = await store.find({ after: stored.at(-1) ?? '', limit: 5000 })
    }
    await store.close()
    expect(stored).toEqual(expected)
    expect(writer.state()).toMatchObject({ writing: false, lag: 0, dropped: 0, lastError: '' })
    expect(log.lines.filter(({ level }) => level === 'error').length).toBeLessThan(5)
    await redis.del(names.outbox, names.store, names.writer)
  })
})
