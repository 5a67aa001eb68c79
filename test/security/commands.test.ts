import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { namesOf } from '../../src/redis/names.js'
import type { StoredEvent } from '../../src/store/types.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { findProgram } from '../helpers/process.js'
import { connectRedis, redisUrl } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const redis = connectRedis()
const TOKEN = 'a-command-token-of-some-length'

async function cli(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(findProgram('redis-cli') ?? 'redis-cli', ['-u', redisUrl(), ...args])
  return stdout.trim()
}

/** Events of a namespace, as they are recorded from now on. */
async function eventsOf(ns: string): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  const subscriber = connectRedis()
  subscriber.on('message', (_channel, raw: string) => events.push(JSON.parse(raw) as StoredEvent))
  await subscriber.subscribe(namesOf(ns).eventsChannel)
  return events
}

/** A job on the queue of commands, as somebody with access to Redis would add it. */
async function commandJob(ns: string, data: string): Promise<string> {
  const { Queue } = await import('bullmq')
  const queue = new Queue('Command', { connection: { url: redisUrl() }, prefix: namesOf(ns).queuePrefix })
  const job = await queue.add('by hand', { type: 'Demo', nickname: 'x' })
  await redis.hset(`${namesOf(ns).queuePrefix}:Command:${job.id}`, 'data', data) // not in time? then it starts x
  await queue.close()
  return job.id ?? ''
}

describe('a raw command', () => {
  it('without the configured token, or with another, is refused and recorded; with it, carried out', async () => {
    const ns = namespace()
    const { command } = namesOf(ns)
    const node = await startNode({ namespace: ns, env: { HYSAS_COMMAND_TOKEN: TOKEN } })
    const events = await eventsOf(ns)
    const client = await clientOf(ns)
    const message = (nickname: string, token?: unknown) =>
      JSON.stringify({
        type: 'sys',
        operation_name: 'start_worker',
        kwargs: { worker_name: 'Demo', nickname },
        ...(token !== undefined && { token }),
      })
    for (const token of [undefined, '', 'wrong', `${TOKEN}x`, [TOKEN], { toString: TOKEN }])
      expect(await cli('PUBLISH', command, message('intruder', token))).toBe('1')
    await until(() => events.filter(({ data }) => (data as { result?: string })?.result === 'FORBIDDEN').length >= 4)
    await cli('PUBLISH', command, message('friend', TOKEN))
    await until(async () => (await client.show('friend')).status === 'started')
    await expect(client.show('intruder')).rejects.toMatchObject({ code: 'UNKNOWN_WORKER' })
    expect(events.find(({ severity }) => severity === 'warning')).toMatchObject({ kind: 'command', source: 'channel' })
    expect(node.output()).toContain('FORBIDDEN')
    expect(node.output() + JSON.stringify(events)).not.toContain(TOKEN)
  })
})

describe('the name of a type', () => {
  it('is never a path: only what the catalogue has can be started', async () => {
    const ns = namespace()
    const folder = join(temporaryFolder('hysas-paths'), 'processors')
    const outside = temporaryFolder('hysas-outside')
    mkdirSync(folder)
    const evil = (name: string) => `import { writeFileSync } from 'node:fs'
writeFileSync(${JSON.stringify(join(outside, `loaded-${name}`))}, '')
export default async function run() {}`
    writeFileSync(join(outside, 'Evil.ts'), evil('outside'))
    symlinkSync(join(outside, 'Evil.ts'), join(folder, 'Evil.ts'))
    mkdirSync(join(folder, 'Sub'))
    writeFileSync(join(folder, 'Sub', 'Deep.ts'), evil('deep'))
    const node = await startNode({ namespace: ns, processors: [folder] })
    const client = await clientOf(ns)
    const given = [
      '../outside/Evil',
      'Sub/Deep',
      `${outside}/Evil.ts`,
      'data:text/javascript,1',
      'file:///etc/passwd',
      'Demo.ts',
      'Demo\0',
      'Command',
      '__proto__',
      'constructor',
      'toString',
    ]
    for (const type of given) await expect(client.start(type, 'x')).rejects.toMatchObject({ code: 'BAD_TYPE' })
    await expect(client.start('Evil', 'x')).rejects.toMatchObject({
      code: expect.stringMatching(/UNKNOWN_TYPE|BROKEN_TYPE/),
    })
    await expect(client.start('Deep', 'x')).rejects.toMatchObject({ code: 'UNKNOWN_TYPE' })
    // the same, past the client
    for (const worker_name of given)
      await redis.publish(
        namesOf(ns).command,
        JSON.stringify({ type: 'sys', operation_name: 'start_worker', kwargs: { worker_name, nickname: 'x' } }),
      )
    await until(() => node.output().includes('a raw command was refused'))
    await expect(client.show('x')).rejects.toMatchObject({ code: 'UNKNOWN_WORKER' })
    const { existsSync } = await import('node:fs')
    expect([existsSync(join(outside, 'loaded-outside')), existsSync(join(outside, 'loaded-deep'))]).toEqual([
      false,
      false,
    ])
  })
})

describe('keys that would touch prototypes', () => {
  const KEYS = ['__proto__', 'constructor', 'prototype']

  it('are refused in parameters, arguments, raw commands and the data of jobs', async () => {
    const ns = namespace()
    const folder = join(temporaryFolder('hysas-proto'), 'processors')
    mkdirSync(folder)
    writeFileSync(
      join(folder, 'Any.ts'),
      `import { defineProcessor } from 'hysas'
export default defineProcessor({
  description: 'Takes anything.',
  operations: {
    look: { run: (ctx, args) => ({ polluted: {}.polluted ?? null, own: Object.keys(ctx.params), args, inherits: ctx.params.polluted ?? args.polluted ?? null }) },
  },
})`,
    )
    await startNode({ namespace: ns, processors: [folder] })
    const client = await clientOf(ns)
    for (const key of KEYS) {
      const nested = JSON.parse(`{"a":{"${key}":{"polluted":true}}}`)
      const flat = JSON.parse(`{"${key}":{"polluted":true}}`)
      for (const params of [nested, flat])
        await expect(client.start('Any', 'p', params)).rejects.toMatchObject({ code: 'BAD_PARAMS' })
    }
    await client.start('Any', 'look', { fine: 1 })
    for (const key of KEYS) {
      const args = JSON.parse(`{"${key}":{"polluted":true}}`)
      await expect(client.send('look', 'look', args, { timeoutMs: 1500 })).rejects.toMatchObject({
        code: expect.stringMatching(/BAD_MESSAGE|NO_ANSWER/),
      })
    }
    expect(await client.send('look', 'look')).toMatchObject({ polluted: null, own: ['fine'], inherits: null })
    await commandJob(ns, '{"type":"Any","nickname":"j","params":{"__proto__":{"polluted":true},"fine":2}}')
    await commandJob(ns, '{"__proto__":{"type":"Any"},"nickname":"j","constructor":{}}')
    await new Promise((resolve) => setTimeout(resolve, 500))
    const j = await client.show('j').catch(() => undefined)
    if (j) expect(await client.send('j', 'look')).toMatchObject({ polluted: null, inherits: null })
    expect(await client.send('look', 'look')).toMatchObject({ polluted: null })
  })
})
