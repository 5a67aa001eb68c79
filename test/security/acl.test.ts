import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Client } from '../../src/client.js'
import { namesOf } from '../../src/redis/names.js'
import { temporaryFolder } from '../helpers/folder.js'
import { clientOf, startNode, type TestNode } from '../helpers/node.js'
import { findProgram } from '../helpers/process.js'
import { connectRedis, startRedis } from '../helpers/redis.js'
import type { RedisServer } from '../helpers/redis-server.js'
import { until } from '../helpers/until.js'

const DOCS = join(import.meta.dirname, '../../docs/operating.md')
const NS = 'HySAS'
const names = namesOf(NS)

let server: RedisServer
let node: TestNode
const urlOf = (role: string) => `redis://${role === 'node' ? 'hysas' : role}:${role}-secret@127.0.0.1:${server.port}`

/** What redis-cli answers to a user of that role. */
async function cli(role: string, ...args: string[]): Promise<string> {
  const program = findProgram('redis-cli') ?? 'redis-cli'
  const { stdout, stderr } = await promisify(execFile)(program, [
    '--no-auth-warning',
    '-u',
    urlOf(role),
    ...args,
  ]).catch((error: { stdout: string; stderr: string }) => error)
  return `${stdout}${stderr}`.trim()
}

beforeAll(async () => {
  const rules = /```conf\n(user default off[\s\S]*?)```/.exec(readFileSync(DOCS, 'utf8'))?.[1] ?? ''
  const file = join(temporaryFolder('hysas-acl'), 'users.acl')
  // the helper that starts the server asks it as the default user whether it answers
  writeFileSync(
    file,
    rules.replace('user default off', 'user default on nopass resetchannels -@all +ping +info +client'),
  )
  server = await startRedis({ args: ['--aclfile', file] })
  node = await startNode({ namespace: NS, url: urlOf('node'), name: 'acl' })
})

describe('the users of docs/operating.md', () => {
  it('let a whole node work: workers, ticks, events and a reader of its log', async () => {
    const client = await clientOf(NS, urlOf('node'))
    await client.start('Demo', 'by-node', { everyMs: 50 })
    await until(async () => (await client.show('by-node')).received > 3)
    await until(async () => (await client.show('Monitor')).ticks > 2)
    await until(async () => (await client.logs('by-node')).length > 0)
    await client.restart('by-node')
    await client.stop('by-node')
    await until(async () => Number(await cli('viewer', 'XLEN', names.outbox)) === 0) // written to the event store
    expect(node.output()).not.toMatch(/NOPERM/i)
    expect(await cli('node', 'SET', 'other', '1')).toContain('NOPERM')
    expect(await cli('node', 'FLUSHALL')).toContain('NOPERM')
    expect(await cli('node', 'CONFIG', 'GET', 'requirepass')).toContain('NOPERM')
  })

  it('let an operator command and look, and change nothing else', async () => {
    const client = await clientOf(NS, urlOf('operator'))
    await client.start('Demo', 'by-operator', { everyMs: 50 })
    expect((await client.list()).map(({ nickname }) => nickname)).toContain('by-operator')
    expect(await client.send('by-operator', 'logLevel', { level: 'debug' })).toBeDefined()
    await client.restart('by-operator')
    await heardOne(client)
    await client.stop('by-operator')
    expect(await cli('operator', 'HSET', names.worker('by-operator'), 'wanted', '1')).toContain('NOPERM')
    expect(await cli('operator', 'DEL', names.fleet)).toContain('NOPERM')
    expect(await cli('operator', 'EVAL', `return redis.call('DEL','${names.fleet}')`, '0')).toMatch(
      /NOPERM|can't|No permission|ACL failure/i,
    )
    expect(await cli('operator', 'FLUSHALL')).toContain('NOPERM')
  })

  it('let a viewer look, but neither command nor publish', async () => {
    const client = await clientOf(NS, urlOf('viewer'))
    expect((await client.list()).map(({ nickname }) => nickname)).toContain('Monitor')
    expect((await client.nodes()).map(({ name }) => name)).toEqual(['acl'])
    expect((await client.types()).length).toBeGreaterThan(2)
    const message = JSON.stringify({ type: 'sys', func: 'shutdown' })
    expect(await cli('viewer', 'PUBLISH', names.command, message)).toContain('NOPERM')
    expect(
      await cli('viewer', 'EVAL', `return redis.call('PUBLISH', '${names.command}', ARGV[1])`, '0', message),
    ).toContain('NOPERM')
    expect(await cli('viewer', 'LPUSH', `${names.queuePrefix}:Command:wait`, '1')).toContain('NOPERM')
    await expect(client.stop('Monitor', { timeoutMs: 1000 })).rejects.toThrow(/NOPERM|permission/i)
    await expect(client.publish(names.command, message)).rejects.toThrow(/NOPERM|permission/i)
    expect(await cli('viewer', 'GET', 'other')).toContain('NOPERM')
  })

  it('let a commander command by the raw channel, and a reader hear, and neither do more', async () => {
    const client = await clientOf(NS, urlOf('node'))
    const kwargs = { worker_name: 'Demo', nickname: 'by-commander' }
    const start = JSON.stringify({ type: 'sys', operation_name: 'start_worker', kwargs })
    expect(await cli('commander', 'PUBLISH', names.command, start)).toBe('1')
    await until(async () => (await client.show('by-commander')).status === 'started')
    expect(await cli('commander', 'PUBLISH', names.wake, '{}')).toContain('NOPERM')
    expect(await cli('commander', 'HGETALL', names.worker('by-commander'))).toContain('NOPERM')
    expect(await cli('reader', 'HGET', names.info('Demo', 'by-commander'), 'status')).toBe('started')
    expect(await cli('reader', 'HGETALL', names.worker('by-commander'))).toContain('NOPERM')
    expect(await cli('reader', 'PUBLISH', names.command, start)).toContain('NOPERM')
  })

  it('let nobody in without one', async () => {
    const redis = connectRedis(`redis://127.0.0.1:${server.port}`)
    await expect(redis.publish(names.command, '{}')).rejects.toThrow(/NOPERM/)
    await expect(redis.hgetall(names.fleet)).rejects.toThrow(/NOPERM/)
  })
})

async function heardOne(client: Client): Promise<void> {
  const end = new AbortController()
  for await (const { channel } of client.tail('by-operator', { signal: end.signal })) {
    expect(channel).toBe(names.pub('Demo', 'by-operator'))
    return end.abort()
  }
}
