import { createHarness, type Harness } from 'hysas/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import Process from '../../processors/Process.js'
import { type OpenDatabase, openDatabase } from '../../src/store/database.js'
import { until } from '../helpers/until.js'

/** What Process does, whatever the kind of database. `newUrl` gives a fresh one. */
export function describeProcess(newUrl: () => Promise<string>): void {
  let raw: OpenDatabase
  let event: OpenDatabase
  const workers: Harness[] = []

  beforeEach(async () => {
    raw = await openDatabase(await newUrl())
    event = await openDatabase(await newUrl())
  })
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.stop()
    await raw.close()
    await event.close()
  })

  const createRaw = () => raw.execute('CREATE TABLE raw_events (id BIGINT PRIMARY KEY, src_ip VARCHAR(64), msg TEXT)')
  const add = (...ids: number[]) =>
    raw.execute(
      `INSERT INTO raw_events (id, src_ip, msg) VALUES ${ids.map(() => '(?, ?, ?)').join(', ')}`,
      ids.flatMap((id) => [id, `192.0.2.${id % 250}`, `message ${id}`]),
    )
  const written = () => event.query('SELECT raw_id, source, message, kind FROM events ORDER BY raw_id')
  const idsWritten = async () => (await written()).map(({ raw_id }) => Number(raw_id))
  const wrote = (ids: number[]) =>
    until(async () => (await idsWritten()).length >= ids.length, { what: `${ids.length} events` }).then(async () =>
      expect(await idsWritten()).toEqual(ids),
    )

  async function startProcess(params = {}): Promise<Harness> {
    const settings = { everyMs: 10, settleMs: 0, ...params }
    const worker = createHarness(Process, { params: settings, databases: { raw, event }, clock: 'real' })
    workers.push(worker)
    await worker.start()
    return worker
  }

  test('each row becomes an event, those that come later too', async () => {
    await createRaw()
    await add(1, 2)
    await startProcess()
    await wrote([1, 2])
    await add(3)
    await wrote([1, 2, 3])
    expect((await written())[0]).toMatchObject({ source: '192.0.2.1', message: 'message 1', kind: 'raw' })
  })

  test('many rows are taken batch by batch', async () => {
    await createRaw()
    const ids = Array.from({ length: 1050 }, (_, n) => n + 1)
    for (let from = 0; from < ids.length; from += 350) await add(...ids.slice(from, from + 350))
    const worker = await startProcess({ batch: 400 })
    await wrote(ids)
    await until(() => (worker.progress.at(-1) as { rows?: number }).rows === 1050)
  })

  test('a restart takes no row twice and leaves none out', async () => {
    await createRaw()
    await add(1, 2)
    const first = await startProcess()
    await wrote([1, 2])
    await first.stop()
    await add(3, 4)
    await startProcess()
    await wrote([1, 2, 3, 4])
  })

  test('two of them at the same tables take each row once', async () => {
    await createRaw()
    await Promise.all([startProcess({ batch: 3 }), startProcess({ batch: 3 })])
    const ids = Array.from({ length: 50 }, (_, n) => n + 1)
    await add(...ids)
    await wrote(ids)
  })

  test('a gap in the ids is waited for, since a slow transaction may fill it', async () => {
    await createRaw()
    await add(1, 3)
    await startProcess({ settleMs: 400 })
    await wrote([1])
    await add(2)
    await wrote([1, 2, 3])
  })

  test('a gap that stays is passed over', async () => {
    await createRaw()
    await add(5, 9)
    await startProcess({ settleMs: 50 })
    await wrote([5, 9])
  })

  test('a row whose time is none is left out and counted, and the others go on', async () => {
    await raw.execute('CREATE TABLE raw_events (id BIGINT PRIMARY KEY, time DOUBLE)')
    await raw.execute('INSERT INTO raw_events (id, time) VALUES (1, 5), (2, 1e300), (3, 7)')
    const worker = await startProcess()
    await wrote([1, 3])
    await until(() => (worker.progress.at(-1) as { unmapped?: number }).unmapped === 1)
  })

  test.each([
    ['is spelled otherwise', {}, 'ID'],
    ['is named with its table', { idColumn: 'raw_events.id' }, 'id'],
  ])('the column of ids is found where it %s', async (_what, params, column) => {
    await raw.execute(`CREATE TABLE raw_events (${column} BIGINT PRIMARY KEY, msg TEXT)`)
    await raw.execute("INSERT INTO raw_events VALUES (4, 'a'), (5, 'b')")
    await startProcess(params)
    await wrote([4, 5])
    const [first] = await event.query('SELECT data FROM events ORDER BY raw_id')
    expect(String(first?.data)).not.toContain('hysas')
  })

  test("a table of events that is another's is refused with what to do, and stays as it is", async () => {
    await createRaw()
    await add(1)
    await event.execute('CREATE TABLE events (time BIGINT, seq BIGINT)')
    const refused = createHarness(Process, { databases: { raw, event }, clock: 'real' })
    const run = refused.start().then(() => refused.finished)
    await expect(run).rejects.toMatchObject({ code: 'FOREIGN_TABLE', details: { table: 'events' } })
    expect(await event.query('SELECT * FROM events')).toEqual([])
    await startProcess({ eventTable: 'process_events' })
    await until(async () => (await event.query('SELECT raw_id FROM process_events').catch(() => [])).length === 1)
  })

  test('without the table it waits, says so once, and goes on when the table is there', async () => {
    const worker = await startProcess()
    await until(() => (worker.progress.at(-1) as { state?: string }).state === 'waiting')
    await createRaw()
    await add(1)
    await wrote([1])
    expect(worker.logs.filter(({ level }) => level === 'error')).toHaveLength(1)
    await until(() => (worker.progress.at(-1) as { state?: string }).state === 'running')
  })
}
