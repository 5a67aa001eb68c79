import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { namesOf } from '../../src/redis/names.js'
import { openStore } from '../../src/store/store.js'
import type { EventQuery, StoredEvent } from '../../src/store/types.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { findProgram, freePort, run } from '../helpers/process.js'
import { connectRedis, startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { processors } from './fixture.js'
import { canInject, changedRuns, hearSaid, pause, runsOf, startSaying } from './redis-fixture.js'
import { FULL, measured } from './table.js'

/** Begins a command with a disk of its own of so many MB at `folder`, which only that command sees; gone with it. */
function withDisk(folder: string, mb: number): string[] {
  mkdirSync(folder, { recursive: true })
  const script = `mount -t tmpfs -o size=${mb}m none '${folder}' && exec "$@"`
  const unshare = findProgram('unshare')
  if (!unshare) throw new Error('The tests of full disks need unshare and mount (Debian: util-linux, mount) and root.')
  return [unshare, '--mount', 'sh', '-c', script, 'sh']
}

/** The disk of a process, from outside: filled to the last byte, and freed. */
function diskOf(pid: number, folder: string) {
  const seen = `/proc/${pid}/root${folder}`
  const files: string[] = []
  return {
    seen,
    fill(): void {
      for (const bytes of [1 << 20, 4096, 1]) {
        const file = join(seen, `filled-${bytes}`)
        files.push(file)
        writeFileSync(file, '')
        while (append(file, Buffer.alloc(bytes)));
      }
    },
    free: () => {
      for (const file of files) rmSync(file)
    },
  }
}

function append(file: string, bytes: Buffer): boolean {
  try {
    writeFileSync(file, bytes, { flag: 'a' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw error
  }
}

/** Of a copy, since SQLite follows links itself, and would look for the disk among our own. */
async function storedIn(folder: string, ns: string, query: EventQuery): Promise<StoredEvent[]> {
  const copy = temporaryFolder('hysas-copy')
  const file = `hysas-${ns}.db`
  for (const name of [file, `${file}-wal`]) {
    if (existsSync(join(folder, name))) copyFileSync(join(folder, name), join(copy, name))
  }
  const store = await openStore({ url: undefined, sqliteFile: join(copy, file) })
  try {
    return await store.find(query)
  } finally {
    await store.close()
  }
}

it('row 23: a full disk under the append-only file is told; what is published meanwhile waits, and is not lost', async () => {
  if (!canInject(23, "disk full under Redis's append-only file")) return
  const folder = temporaryFolder('hysas-full')
  const port = await freePort()
  const [program = '', ...args] = [
    ...withDisk(folder, 8),
    ...['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
    ...['--appendonly', 'yes', '--enable-debug-command', 'local'],
  ]
  const server = run(program, args)
  try {
    const url = `redis://127.0.0.1:${port}`
    const redis = connectRedis(url)
    await redis.ping()
    const disk = diskOf(server.pid, folder)
    const ns = namespace()
    const node = await startNode({ namespace: ns, name: 'a', url, processors: [processors('Says')] })
    const client = await clientOf(ns, url)
    const heard = await hearSaid(ns, url)
    const nicknames = ['d0', 'd1']
    await startSaying(client, nicknames)
    const before = await runsOf(client, 2)
    await heard.backAfter(performance.now(), nicknames)

    disk.fill()
    await until(() => node.output().includes('Redis can not write its append-only file'), { what: 'the alarm' })
    const refused = client.start('Says', 'refused', {}, { noWait: true })
    await expect(refused).rejects.toMatchObject({ code: 'REDIS_ERROR', message: expect.stringContaining('MISCONF') })
    await pause(FULL ? 15_000 : 2000)
    expect((await client.list()).filter(({ type }) => type === 'Says')).toHaveLength(2)

    disk.free()
    const at = performance.now()
    const ms = await heard.backAfter(at, nicknames)
    const after = await runsOf(client, 2)
    expect(changedRuns(before, after)).toBe(0)
    await until(async () => (await client.nodes()).every(({ problems }) => problems.length === 0))
    // each message came once, in order
    let wrong = 0
    for (const nickname of nicknames) {
      const numbers = heard.all.filter((said) => said.nickname === nickname).map(({ n }) => n)
      wrong += numbers.filter((n, i) => i > 0 && n !== (numbers[i - 1] ?? 0) + 1).length
    }
    measured(23, "disk full under Redis's append-only file", '0 silent losses; told', wrong, wrong === 0)
    measured(23, "disk full under Redis's append-only file", 'all resume', `${Math.round(ms)} ms`, true)
    expect(wrong).toBe(0)
    // and what the file holds is all
    await redis.call('DEBUG', 'LOADAOF')
    expect([...(await runsOf(client, 2)).keys()]).toEqual(nicknames)
    await node.stop()
  } finally {
    await server.stop()
  }
}, 90_000)

it('row 23: a full disk under SQLite is told; the events wait, and are all there when it has room', async () => {
  if (!canInject(23, 'disk full under SQLite')) return
  const folder = temporaryFolder('hysas-full')
  const data = join(folder, '.hysas')
  const ns = namespace()
  const server = await startRedis()
  const node = await startNode({
    ...{ namespace: ns, name: 'a', folder, url: server.url, processors: [processors('Says')] },
    via: withDisk(data, 256), // more than twice the events: they stand in the write-ahead log too
  })
  const client = await clientOf(ns, server.url)
  await startSaying(client, ['s0'], { everyMs: 500 })
  const disk = diskOf(node.pid, data)
  const redis = connectRedis(server.url)
  const names = namesOf(ns)
  const before = await runsOf(client, 1)
  disk.fill()
  const rounds = FULL ? 20 : 5
  for (let i = 0; i < rounds; i++) await client.send('s0', 'note', { count: 50, bytes: 60_000 }, { timeoutMs: 30_000 })
  const problems = async () => (await client.nodes()).flatMap((one) => one.problems)
  const told = await until(async () => (await problems()).find((one) => /Events wait in Redis/.test(one)), {
    timeoutMs: 20_000,
    what: 'the problem in the status of the node',
  })
  expect(told).toMatch(/full/)
  expect(node.output()).toContain('they wait in Redis')
  disk.free()
  await until(async () => (await problems()).length === 0, { timeoutMs: 60_000, what: 'the problem gone' })
  await until(async () => (await redis.xlen(names.outbox)) === 0, { timeoutMs: 30_000, what: 'no event waits' })
  const kept = await storedIn(disk.seen, ns, { kind: 'noted', limit: 1000 })
  const lost = rounds * 50 - new Set(kept.map(({ id }) => id)).size
  measured(23, 'disk full under SQLite', '0 silent losses; told', lost, lost === 0 && kept.length === rounds * 50)
  expect(kept).toHaveLength(rounds * 50)
  expect(lost).toBe(0)
  expect(changedRuns(before, await runsOf(client, 1))).toBe(0)
}, 120_000)
