import { execFile } from 'node:child_process'
import { chmodSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Libsql from 'libsql'
import { afterEach, expect, it } from 'vitest'
import { openDatabase } from '../../src/store/database.js'
import { openStore } from '../../src/store/store.js'
import type { EventStore } from '../../src/store/types.js'
import { temporaryFolder } from '../helpers/folder.js'
import { event } from './events.js'
import { bundled } from './processes.js'

const opened: EventStore[] = []
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
})

/** As `hysas events` does: prints how many there are, and ends. */
const COUNT = `
  import { openStore } from './src/store/store.js'
  async function count() {
    const store = await openStore({ sqliteFile: process.argv[2] })
    console.log((await store.find({})).length)
    await store.close()
  }
  count()`

it('a file that is open twice in one process stays locked, and what is written then is seen by others', async () => {
  const sqliteFile = join(temporaryFolder('hysas-store'), 'hysas.db')
  const { file, env } = bundled(COUNT)
  const seenByAnother = async () =>
    Number((await promisify(execFile)(process.execPath, [file, sqliteFile], { env })).stdout)
  const open = async () => {
    const store = await openStore({ sqliteFile })
    opened.push(store)
    return store
  }
  const writer = await open()
  await writer.append([event(1)])
  await open()
  expect(locksOf(sqliteFile)).toContain('READ')
  expect(await seenByAnother()).toBe(1)
  await writer.append([event(2)])
  expect(await seenByAnother()).toBe(2)
})

it("a user's database that is there already stays as it is: its way of writing, its rights, its bytes", async () => {
  const file = join(temporaryFolder('hysas-store'), 'theirs.db')
  const theirs = new Libsql(file)
  theirs.exec('create table raw (id integer); insert into raw values (7)')
  theirs.close()
  chmodSync(file, 0o444)
  const before = readFileSync(file)
  const database = await openDatabase(file)
  expect(await database.query('select id from raw')).toEqual([{ id: 7 }])
  await database.close()
  expect(readFileSync(file).equals(before)).toBe(true)
  expect(statSync(file).mode & 0o777).toBe(0o444)
})

it("a user's database that is not in WAL mode is written by two at once without losing a row", async () => {
  const file = join(temporaryFolder('hysas-store'), 'theirs.db')
  const theirs = new Libsql(file)
  theirs.exec('create table raw (id integer)')
  theirs.close()
  const both = [await openDatabase(file), await openDatabase(file)]
  await Promise.all(
    both.map(async (database) => {
      for (let n = 0; n < 50; n++) {
        await database.execute('insert into raw values (?)', [n])
        await database.query('select count(*) as n from raw')
      }
    }),
  )
  expect(await both[0]?.query('select count(*) as n from raw')).toEqual([{ n: 100 }])
  for (const database of both) await database.close()
})

/** What this process has locked of a file, as Linux tells it. */
function locksOf(file: string): string[] {
  const { ino } = statSync(file)
  const lines = readFileSync('/proc/locks', 'utf8').split('\n')
  return lines
    .map((line) => line.split(/ +/))
    .flatMap(([, , , kind, pid, place]) => {
      return pid === String(process.pid) && place?.endsWith(`:${ino}`) ? [kind ?? ''] : []
    })
}
