import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { type Embedded, findEmbedded, startEmbedded } from '../../src/redis/embedded.js'
import { birthOf, commandOf } from '../../src/redis/processes.js'
import { removeFolder, temporaryFolder } from '../helpers/folder.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const opened: Embedded[] = []
const users: ChildProcess[] = []

afterEach(async () => {
  for (const user of users.splice(0)) user.kill('SIGKILL')
  await Promise.all(opened.splice(0).map((one) => one.release()))
})

async function start(dataDir: string): Promise<Embedded> {
  const embedded = await startEmbedded({ dataDir })
  opened.push(embedded)
  return embedded
}

/** Another process that uses the same folder until it is killed, or releases at a line on its input. */
async function startElsewhere(dataDir: string): Promise<{ url: string; started: boolean; child: ChildProcess }> {
  const script = join(import.meta.dirname, 'embedded-user.mjs')
  const child = spawn(process.execPath, [script, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] })
  users.push(child)
  for await (const line of createInterface({ input: child.stdout })) return { ...JSON.parse(line), child }
  throw new Error('the other process ended')
}

const recordOf = (dataDir: string) => JSON.parse(readFileSync(join(dataDir, 'redis/server.json'), 'utf8'))
const gone = (pid: number, what: string) => until(() => birthOf(pid) === '', { what })

describe('the embedded Redis', () => {
  it('starts with a password, an append-only file and no eviction, and ends with its only user', async () => {
    const dataDir = temporaryFolder()
    const embedded = await start(dataDir)
    expect(embedded.started).toBe(true)
    const redis = connectRedis(embedded.url)
    expect(await redis.config('GET', 'appendonly')).toEqual(['appendonly', 'yes'])
    expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction'])
    expect(await redis.config('GET', 'dir')).toEqual(['dir', join(dataDir, 'redis')])

    const stranger = new Redis(Number(new URL(embedded.url).port), '127.0.0.1', { retryStrategy: () => null })
    stranger.on('error', () => {})
    await expect(stranger.set('a', '1')).rejects.toThrow('NOAUTH')
    stranger.disconnect()

    const { keeper } = recordOf(dataDir)
    redis.disconnect()
    await embedded.release()
    expect(birthOf(embedded.pid)).toBe('')
    expect(birthOf(keeper)).toBe('')
    expect(existsSync(join(dataDir, 'redis/server.json'))).toBe(false)
    expect(await findEmbedded(dataDir)).toBeUndefined()
  })

  it('keeps its password to its owner', async () => {
    const dataDir = temporaryFolder()
    const embedded = await start(dataDir)
    const { password } = new URL(embedded.url)
    for (const file of ['server.json', 'redis.conf'])
      expect(statSync(join(dataDir, 'redis', file)).mode & 0o077).toBe(0)
    for (const pid of [embedded.pid, recordOf(dataDir).keeper]) expect(commandOf(pid)).not.toContain(password)
  })

  it('is shared by all processes of the folder and lives as long as the last of them', async () => {
    const dataDir = temporaryFolder()
    const first = await startElsewhere(dataDir)
    const second = await start(dataDir)
    expect([first.started, second.started]).toEqual([true, false])
    expect(second.url).toBe(first.url)
    expect(await findEmbedded(dataDir)).toBe(first.url)

    first.child.stdin?.end('release\n')
    await until(() => first.child.exitCode === 0, { what: 'the first user released' })
    expect(await connectRedis(second.url).ping()).toBe('PONG')
    await second.release()
    expect(birthOf(second.pid)).toBe('')
  })

  it('is started once, however many nodes start at once', async () => {
    const dataDir = temporaryFolder()
    const all = await Promise.all([
      ...Array.from({ length: 4 }, () => start(dataDir)),
      ...Array.from({ length: 3 }, () => startElsewhere(dataDir)),
    ])
    expect(new Set(all.map(({ url }) => url)).size).toBe(1)
    expect(all.filter(({ started }) => started)).toHaveLength(1)
  })

  it('keeps its data from one life to the next', async () => {
    const dataDir = temporaryFolder()
    const one = await start(dataDir)
    await connectRedis(one.url).set('kept', 'yes')
    await one.release()
    const two = await start(dataDir)
    expect(two.started).toBe(true)
    expect(await connectRedis(two.url).get('kept')).toBe('yes')
  })

  it('ends by itself when its last user was killed', async () => {
    const dataDir = temporaryFolder()
    const { child } = await startElsewhere(dataDir)
    const { pid, keeper } = recordOf(dataDir)
    child.kill('SIGKILL')
    await gone(pid, 'the server ended')
    await gone(keeper, 'its keeper ended')
    expect(existsSync(join(dataDir, 'redis/server.json'))).toBe(false)
    expect(existsSync(join(dataDir, 'redis/lock'))).toBe(false)
  })

  it('ends by itself when its folder was removed with its last user', async () => {
    const dataDir = temporaryFolder()
    const { child } = await startElsewhere(dataDir)
    const { keeper, pid } = recordOf(dataDir)
    child.kill('SIGKILL')
    removeFolder(dataDir)
    await gone(pid, 'server')
    await gone(keeper, 'keeper')
  })

  it('comes back on the same address, with its data, when it is killed', async () => {
    const dataDir = temporaryFolder()
    const embedded = await start(dataDir)
    const redis = connectRedis(embedded.url)
    await redis.config('SET', 'appendfsync', 'always')
    await redis.set('kept', 'yes')
    await until(() => birthOf(recordOf(dataDir).keeper) !== '')
    process.kill(embedded.pid, 'SIGKILL')
    await until(async () => (await redis.get('kept')) === 'yes', { what: 'the server is back' })
    await embedded.release()
    expect(await findEmbedded(dataDir)).toBeUndefined()
  })

  it('is replaced, with its data, where server and keeper were killed, and a foreign process of the same id is let be', async () => {
    const dataDir = temporaryFolder()
    const one = await start(dataDir)
    const redis = connectRedis(one.url)
    await redis.config('SET', 'appendfsync', 'always')
    await redis.set('kept', 'yes')
    redis.disconnect()
    process.kill(recordOf(dataDir).keeper, 'SIGKILL')
    process.kill(one.pid, 'SIGKILL')
    await gone(one.pid, 'the server is dead')

    const bystander = spawn('sleep', ['60'])
    users.push(bystander)
    writeFileSync(join(dataDir, 'redis/redis.pid'), `${bystander.pid}\n`)
    const record = recordOf(dataDir)
    writeFileSync(join(dataDir, 'redis/server.json'), JSON.stringify({ ...record, keeper: bystander.pid }))

    expect(await findEmbedded(dataDir)).toBeUndefined()
    const two = await start(dataDir)
    expect(two.started).toBe(true)
    expect(two.url).not.toBe(one.url)
    expect(await connectRedis(two.url).get('kept')).toBe('yes')
    expect(bystander.exitCode).toBeNull()
  })

  it('takes no notice of users and locks of processes that are gone', async () => {
    const dataDir = temporaryFolder()
    await (await start(dataDir)).release()
    writeFileSync(join(dataDir, 'redis/users/999999.1'), '1')
    writeFileSync(join(dataDir, 'redis/lock'), '999999\n')
    const embedded = await start(dataDir)
    await embedded.release()
    expect(birthOf(embedded.pid)).toBe('')
  })

  it('refuses a folder whose server was started on another host', async () => {
    const dataDir = temporaryFolder()
    const embedded = await start(dataDir)
    const record = recordOf(dataDir)
    const file = join(dataDir, 'redis/server.json')
    writeFileSync(file, JSON.stringify({ ...record, host: 'elsewhere' }))
    await expect(start(dataDir)).rejects.toMatchObject({ code: 'EMBEDDED_ELSEWHERE' })
    writeFileSync(file, JSON.stringify(record))
    await embedded.release()
  })

  it('says which program is missing, and why a server does not start', async () => {
    const path = process.env.PATH
    const bin = temporaryFolder()
    try {
      process.env.PATH = bin
      await expect(start(temporaryFolder())).rejects.toMatchObject({ code: 'NO_REDIS_SERVER' })
      writeFileSync(join(bin, 'redis-server'), '#!/bin/sh\necho "too old for this"; exit 1\n', { mode: 0o755 })
      process.env.PATH = `${bin}:/bin:/usr/bin`
      await expect(start(temporaryFolder())).rejects.toThrow(/too old for this/)
    } finally {
      process.env.PATH = path
      removeFolder(bin)
    }
  })
})
