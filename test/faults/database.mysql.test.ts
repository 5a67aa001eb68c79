import { createConnection } from 'mysql2/promise'
import { expect, it } from 'vitest'
import { openStore } from '../../src/store/store.js'
import { startMysql } from '../helpers/mysql.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { until } from '../helpers/until.js'
import { processors } from './fixture.js'
import { pause } from './redis-fixture.js'
import { FULL, measured } from './table.js'

const NICKNAMES = ['n0', 'n1']

it('row 31: a database that is killed while events flow costs none and doubles none', {
  timeout: 180_000,
}, async () => {
  const server = await startMysql()
  // The helper's server is quick rather than safe: a second of what it has confirmed would be gone, which is not ours to mend.
  const admin = await createConnection(server.url)
  await admin.query('set global innodb_flush_log_at_trx_commit = 1')
  await admin.end()
  const ns = namespace()
  const nodes = await Promise.all(
    ['a', 'b'].map((name) =>
      startNode({ namespace: ns, name, processors: [processors('Notes')], env: { HYSAS_DATABASE_URL: server.url } }),
    ),
  )
  const client = await clientOf(ns)
  for (const nickname of NICKNAMES) await client.start('Notes', nickname, {}, { timeoutMs: 30_000 })
  const runs = async () => (await client.list()).filter(({ type }) => type === 'Notes').map(({ epoch }) => epoch)
  const problems = async () => (await client.nodes()).flatMap((one) => one.problems)
  const before = await runs()
  const stored = async () => {
    const store = await openStore({ url: server.url, sqliteFile: '' })
    const all: string[] = []
    for (let page = await store.find({ after: '0-0', kind: 'noted', limit: 5000 }); page.length; ) {
      all.push(...page.map(({ nickname, message }) => `${nickname}: ${message}`))
      page = await store.find({ after: page.at(-1)?.id ?? '', kind: 'noted', limit: 5000 })
    }
    await store.close()
    return all
  }
  await until(async () => (await stored()).length > 50, { timeoutMs: 30_000, what: 'events in the database' })

  await server.kill()
  const awaySeconds = FULL ? 60 : 6
  const killed = performance.now()
  await until(async () => (await problems()).some((one) => /Events wait in Redis/.test(one)), { what: 'the problem' })
  await pause(killed + awaySeconds * 1000 - performance.now())
  await server.restart()
  await until(async () => (await problems()).length === 0, { timeoutMs: 60_000, what: 'the problem gone' })

  const recorded = (await Promise.all(NICKNAMES.map((one) => client.send(one, 'recorded', {})))).map(Number)
  expect(await runs()).toEqual(before)
  for (const nickname of NICKNAMES) await client.stop(nickname)
  const expected = NICKNAMES.flatMap((nickname, i) =>
    Array.from({ length: recorded[i] ?? 0 }, (_, n) => `${nickname}: note ${n}`),
  )
  const all = await until(
    async () => {
      const all = new Set(await stored())
      return expected.every((one) => all.has(one)) ? await stored() : undefined
    },
    { timeoutMs: 30_000, what: 'all that was recorded' },
  ).catch(stored)
  const lost = expected.filter((one) => !all.includes(one)).length
  const doubled = all.length - new Set(all).size
  const value = `${lost} lost, ${doubled} doubled of ${expected.length}`
  measured(31, `database killed for ${awaySeconds} s`, '0 lost, 0 doubled', value, lost + doubled === 0)
  expect(lost).toBe(0)
  expect(doubled).toBe(0)
  expect(expected.length).toBeGreaterThan(200)
  for (const node of nodes) await node.stop()
})
