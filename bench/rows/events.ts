import { join } from 'node:path'
import { openStore } from '../../src/store/store.js'
import { startMysqlServer } from '../../test/helpers/mysql-server.js'
import { until } from '../../test/helpers/until.js'
import type { Bench } from '../lib/bench.js'
import { startFleet } from '../lib/fleet.js'
import { startProgram } from '../lib/program.js'
import { inTurn } from '../lib/rounds.js'
import { atLeast, type Line, type Row } from '../lib/types.js'

/** Rows of one insert of the bare driver. */
const ROWS_EACH = 1000
const WORKERS = 2

/** Below what the stream holds, so that nothing is dropped while the store is behind. */
const count = (bench: Bench): number => (bench.quick ? 20_000 : 90_000)

async function compare(bench: Bench, shown: string, where: { mysql?: string; sqlite?: string }): Promise<Line> {
  const { mysql, sqlite = '' } = where
  const options = { url: mysql, sqliteFile: sqlite }
  await (await openStore(options)).close() // the tables are there
  const database = mysql ?? `file:${sqlite}`
  const fleet = await startFleet(bench, { processors: ['Recorder'], env: { HYSAS_DATABASE_URL: database } })
  const { names, redisUrl, client } = fleet
  const redis = bench.connect(redisUrl)
  const each = count(bench) / WORKERS
  for (let i = 0; i < WORKERS; i++) await client.start('Recorder', `w${i}`, { count: each, atOnce: 200 })
  const subscriber = bench.connect(redisUrl)
  let done = 0
  subscriber.on('message', () => done++)
  for (let i = 0; i < WORKERS; i++) await subscriber.subscribe(names.pub('Recorder', `w${i}`))
  const emptied = () => until(async () => (await redis.xlen(names.outbox)) === 0, { timeoutMs: 60_000, everyMs: 5 })
  await emptied()

  const begunAt = Date.now()
  let first = 0
  const rounds = await inTurn(
    bench,
    bench.quick ? 1 : 3,
    {
      driver: async () => {
        const program = startProgram(bench, 'bare-insert', {
          ...where,
          count: count(bench),
          rowsEach: ROWS_EACH,
          first,
        })
        first += count(bench)
        return program.next<number>()
      },
      ours: async () => {
        done = 0
        const before = performance.now()
        await redis.publish('bench:go', '{}')
        await until(() => done === WORKERS, { timeoutMs: 120_000, everyMs: 2, what: 'all are recorded' })
        await emptied()
        return count(bench) / ((performance.now() - before) / 1000)
      },
    },
    { warmUp: bench.quick ? 0 : 1 },
  )
  await fleet.node.stop()
  const missing = (rounds.ours.all.length + (bench.quick ? 0 : 1)) * count(bench) - (await written(options, begunAt))
  return {
    what: `event store: rows a second from ${WORKERS} workers to ${shown}`,
    yardstick: { name: `bare driver, ${ROWS_EACH} rows an insert`, value: rounds.driver.median, unit: '/s' },
    ours: { name: 'ours', value: rounds.ours.median, unit: '/s' },
    bar: atLeast(0.5),
    note: `${count(bench).toLocaleString('en-US')} events a round into the same table; ${missing} missing afterwards`,
  }
}

/** The workers' events that are in the store. */
async function written(options: { url: string | undefined; sqliteFile: string }, since: number): Promise<number> {
  const store = await openStore(options)
  try {
    const buckets = await store.countByTime({ since, kind: 'alert', bucketMs: 60_000 })
    return buckets.reduce((sum, { count }) => sum + count, 0)
  } finally {
    await store.close()
  }
}

export default {
  number: 14,
  name: 'events',
  what: 'event store: rows a second from workers to MySQL and SQLite',
  needs: ['mariadb'],
  async measure(bench) {
    const sqlite = await compare(bench, 'SQLite', { sqlite: join(bench.folder(), 'events.db') })
    bench.progress('MariaDB starts')
    const server = await startMysqlServer()
    bench.release(() => server.stop())
    return [await compare(bench, 'MariaDB', { mysql: server.url }), sqlite]
  },
} satisfies Row
