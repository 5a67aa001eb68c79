import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { AnyProcessor, PlainProcessor } from 'hysas'
import { createHarness } from 'hysas/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import Correlate from '../../examples/processors/Correlate.js'
import HttpSource from '../../examples/processors/HttpSource.js'
import Journal from '../../examples/processors/Journal.js'
import Uppercase from '../../examples/processors/Uppercase.js'
import LogFollower from '../../processors/LogFollower.js'
import SshGuard from '../../processors/SshGuard.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { alive } from '../helpers/process.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

afterEach(() => vi.unstubAllEnvs())

const examples = join(import.meta.dirname, '../../examples')

describe('Uppercase', () => {
  test('says loudly what it hears, from the channel or the worker that was named', async () => {
    const worker = createHarness(Uppercase, { params: { worker: 'DemoName' } })
    await worker.start()
    await worker.send('hello', { channel: 'HySAS.Worker.Demo.DemoName.Pub' })
    await expect(worker.send('hello', { channel: 'lines' })).rejects.toThrow('lines')
    expect(worker.published.map(({ data }) => data)).toEqual(['HELLO'])
    await worker.stop()
  })

  test('shouts when it is told to', async () => {
    const worker = createHarness(Uppercase)
    await worker.start()
    expect(await worker.operation('shout', { text: 'hey' })).toBe('HEY!')
    await worker.stop()
  })
})

describe('HttpSource', () => {
  test('publishes each entry once, over several ticks', async () => {
    const entries = [{ id: 1 }, { id: 2 }]
    const server = createServer((_request, response) => response.end(JSON.stringify({ data: { items: entries } })))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const options = { params: { url, list: 'data.items' }, namespace: namespace(), redis: connectRedis() }
    const worker = createHarness(HttpSource, options)
    await worker.tick()
    entries.push({ id: 3 })
    await worker.tick()
    expect(worker.published.map(({ data }) => data)).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])

    const wrong = createHarness(HttpSource, { ...options, params: { url, list: 'nothing' } })
    await expect(wrong.tick()).rejects.toThrow('no list in "nothing"')
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
})

describe('Correlate', () => {
  test('joins what two workers say about the same key, whichever speaks first', async () => {
    const worker = createHarness(Correlate, { params: { left: 'a', right: 'b', rightKey: 'ip' } })
    await worker.start()
    const say = (nickname: string, data: object) => worker.send(data, { channel: `HySAS.Worker.Any.${nickname}.Pub` })
    await say('a', { source: '192.0.2.1' })
    await say('a', { source: '192.0.2.1', n: 2 })
    await say('b', { ip: '192.0.2.2' })
    expect(worker.published).toEqual([])
    await say('b', { ip: '192.0.2.1' })
    expect(worker.published.map(({ data }) => data)).toEqual([
      { key: '192.0.2.1', left: { source: '192.0.2.1', n: 2 }, right: { ip: '192.0.2.1' } },
    ])
    expect(worker.events).toMatchObject([{ kind: 'correlated', source: '192.0.2.1' }])
    await worker.stop()
  })
})

describe('Journal', () => {
  test('publishes the lines of journalctl so that SshGuard hears them, ends it, and fails where it ends by itself', async () => {
    const folder = temporaryFolder()
    const asked = join(folder, 'asked')
    const fake = (end: string) =>
      writeFileSync(
        join(folder, 'journalctl'),
        `#!/bin/sh
echo "$$ $*" >${asked}
for pid in 1 2 3 4 5; do echo "2025-11-23T10:00:0$pid+0100 gate sshd-session[$pid]: Failed password for root from 192.0.2.1 port 22 ssh2"; done
echo 'Hint: not all is shown' >&2
${end}
`,
        { mode: 0o755 },
      )
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
    fake('exec sleep 1000')
    const following = createHarness(Journal, { clock: 'real' })
    await following.start()
    await until(() => following.published.length === 5 && following.logs.length === 1)
    await following.stop()
    const [pid = '', ...args] = readFileSync(asked, 'utf8').trim().split(' ')
    expect(args.join(' ')).toBe('--follow --lines=0 --output=short-iso --identifier=sshd --identifier=sshd-session')
    await until(() => !alive(Number(pid)))
    const guard = createHarness(SshGuard, { params: { source: 'journal' } })
    await guard.start()
    for (const { data } of following.published) await guard.send(data)
    expect(guard.events).toMatchObject([
      { kind: 'alert', source: '192.0.2.1', data: { failures: 5, lastSeen: '2025-11-23T09:00:05.000Z' } },
    ])
    await guard.stop()

    fake('exit 3')
    const ending = createHarness(Journal, { clock: 'real' })
    await ending.start()
    await expect(ending.finished).rejects.toThrow('journalctl: it ended with 3')
    rmSync(join(folder, 'journalctl'))
    vi.stubEnv('PATH', folder)
    const missing = createHarness(Journal, { clock: 'real' })
    await missing.start().catch(() => {})
    await expect(missing.finished).rejects.toThrow('journalctl: spawn journalctl ENOENT')
  })
})

describe('PlainBullmq', () => {
  test('does its steps and reports progress, as under BullMQ', async () => {
    const { default: plain } = (await import(join(examples, 'processors/PlainBullmq.cjs'))) as {
      default: PlainProcessor
    }
    const progress: unknown[] = []
    const job = {
      data: { steps: 2, stepMs: 1 },
      log: async () => 1,
      updateProgress: async (value: unknown) => void progress.push(value),
    }
    expect(await plain(job)).toEqual({ steps: 2 })
    expect(progress).toEqual([1, 2].map((step) => ({ step, steps: 2 })))
  })
})

test('every file of parameters fits the processor that the README starts with it', async () => {
  const types: Record<string, AnyProcessor> = { Uppercase, HttpSource, Correlate, LogFollower, SshGuard }
  const readme = readFileSync(join(examples, 'README.md'), 'utf8')
  for (const file of readdirSync(join(examples, 'config'))) {
    const type = new RegExp(`hysas start (\\w+) examples/config/${file}`).exec(readme)?.[1] ?? ''
    expect(type, file).not.toBe('')
    const params = JSON.parse(readFileSync(join(examples, 'config', file), 'utf8')) as unknown
    const result = await types[type]?.params?.['~standard'].validate(params)
    expect(result?.issues, file).toBeUndefined()
  }
})
